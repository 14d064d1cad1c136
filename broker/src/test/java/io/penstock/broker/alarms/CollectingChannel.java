package io.penstock.broker.alarms;

import io.penstock.broker.store.AlarmTable.Severity;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// A channel that keeps what it gets, and fails while a test wants it to.
final class CollectingChannel implements Channel {
  final List<JsonObject> got = new CopyOnWriteArrayList<>();
  private final String name;
  private final Severity least;
  volatile boolean failing;

  CollectingChannel(String name) {
    this(name, Severity.LOW);
  }

  CollectingChannel(String name, Severity least) {
    this.name = name;
    this.least = least;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Severity least() {
    return least;
  }

  @Override
  public Outcome send(String id, JsonObject body) {
    if (failing) {
      return new Outcome.Failed("down for a test");
    }
    got.add(body);
    return new Outcome.Arrived();
  }

  /// `raised agent-offline press-1`, in their order.
  List<String> changes() {
    return got.stream()
        .flatMap(body -> body.getJsonArray("changes").stream())
        .map(JsonObject.class::cast)
        .map(
            change ->
                change.getString("change")
                    + " "
                    + change.getJsonObject("alarm").getString("kind")
                    + " "
                    + change.getJsonObject("alarm").getString("subject"))
        .toList();
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
