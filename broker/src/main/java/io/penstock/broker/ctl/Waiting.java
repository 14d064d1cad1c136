package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Waits until an agent has said what became of a version.
final class Waiting {
  private static final long LOOK_EVERY_MS = 300;

  private final BrokerApi api;

  Waiting(BrokerApi api) {
    this.api = api;
  }

  /// The version as the API shows it, once the agent has applied it. Ends with exit code 1 when the
  /// agent refused it, 5 when nothing was heard within `limit`.
  JsonNode untilApplied(String agent, String system, long version, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      JsonNode seen = api.get(SystemCommands.path(agent, system) + "/versions/" + version);
      switch (seen.path("state").asText()) {
        case "applied" -> {
          return seen;
        }
        case "refused" -> throw refused(agent, version, seen.path("receipt"));
        case "superseded" ->
            throw Failure.failed(
                "version " + version + " was superseded before " + agent + " applied it");
        default -> pause(end, agent, system, version);
      }
    }
  }

  private static Failure refused(String agent, long version, JsonNode receipt) {
    return Failure.failed(
        agent
            + " refused version "
            + version
            + ": "
            + receipt.path("reason").asText("unknown")
            + ": "
            + receipt.path("detail").asText(""));
  }

  private void pause(long end, String agent, String system, long version) {
    long left = end - System.nanoTime();
    if (left <= 0) {
      throw Failure.stillWaiting(
          "no receipt for version "
              + version
              + " of "
              + system
              + " yet; it waits because "
              + why(agent, system)
              + ", and is delivered when that is over");
    }
    try {
      TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(LOOK_EVERY_MS)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Failure.failed("interrupted");
    }
  }

  private String why(String agent, String system) {
    for (JsonNode message : Json.items(api.get(MessagesCommand.path(agent)))) {
      String why = message.path("why").asText("");
      if (message.path("system").asText().equals(system) && !why.isEmpty()) {
        return why;
      }
    }
    boolean online = api.get("/agents/" + BrokerUrl.segment(agent)).path("online").asBoolean();
    return online ? "the agent has not answered yet" : "the agent is not connected";
  }
}
