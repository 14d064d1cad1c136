package io.penstock.broker.live;

import io.vertx.core.json.JsonObject;

/// One thing that is told, as it is written to every stream that it is for.
///
/// @param audience who gets it
/// @param agent that it is about; empty = none in particular
/// @param text the whole event in the format of server-sent events
record Event(long id, Topic topic, Audience audience, String agent, long epochMs, String text) {

  enum Audience {
    /// Whoever watches the topic.
    EVERYBODY,
    /// Who watches all agents.
    OF_ALL,
    /// Who watches all agents, or this one.
    OF_AGENT,
    /// Who watches this one agent.
    OF_AGENT_ONLY
  }

  static String text(String id, String name, JsonObject data) {
    return "id: " + id + "\nevent: " + name + "\ndata: " + data.encode() + "\n\n";
  }

  /// Without an id: what a reader would not ask for again.
  static String text(String name, JsonObject data) {
    return "event: " + name + "\ndata: " + data.encode() + "\n\n";
  }

  int size() {
    return text.length() + 96;
  }
}
