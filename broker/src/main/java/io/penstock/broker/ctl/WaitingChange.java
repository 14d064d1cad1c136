package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.TimeUnit;

/// A change that waits for a second person: told in words, and waited for.
final class WaitingChange {
  private static final long LOOK_EVERY_MS = 500;

  private final BrokerApi api;

  WaitingChange(BrokerApi api) {
    this.api = api;
  }

  /// Whether the broker answered with a change instead of doing what was asked.
  static boolean isOne(JsonNode answer) {
    return answer.has("request") && answer.has("needs");
  }

  static String words(JsonNode change) {
    return "not done yet: change "
        + change.path("id").asText()
        + " waits until "
        + change.path("expires_at").asText()
        + " for another "
        + Json.cell(change, "needs.roles")
        + " to approve it (penstock ctl changes approve "
        + change.path("id").asText()
        + ")";
  }

  /// Ends with exit code 1 when somebody said no, 5 when nobody said anything by `endNanos`.
  JsonNode untilExecuted(JsonNode change, long endNanos) {
    String path = ChangeCommands.path(change.path("id").asText());
    while (true) {
      JsonNode seen = api.get(path);
      String state = seen.path("state").asText();
      switch (state) {
        case "executed" -> {
          return seen;
        }
        case "waiting", "approved" -> pause(endNanos, seen);
        default -> throw Failure.failed(ended(seen, state));
      }
    }
  }

  private static String ended(JsonNode change, String state) {
    String why = change.path("outcome").path("detail").asText(change.path("comment").asText(""));
    return "change "
        + change.path("id").asText()
        + " is "
        + state
        + " ("
        + change.path("decided_by").asText()
        + ")"
        + (why.isEmpty() ? "" : ": " + why);
  }

  private static void pause(long endNanos, JsonNode change) {
    long left = endNanos - System.nanoTime();
    if (left <= 0) {
      throw Failure.stillWaiting(words(change));
    }
    try {
      TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(LOOK_EVERY_MS)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Failure.failed("interrupted");
    }
  }
}
