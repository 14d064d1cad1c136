package io.penstock.broker.alarms;

import io.penstock.broker.store.AlarmTable.Severity;
import io.vertx.core.json.JsonObject;

/// A way to people.
interface Channel extends AutoCloseable {
  /// `webhook ops`, `mail`
  String name();

  /// How bad an alarm has to be.
  Severity least();

  /// Blocks for a bounded time. Thread-safe is not needed.
  ///
  /// @param id the same for every attempt at one notice
  Outcome send(String id, JsonObject body);

  @Override
  void close();

  sealed interface Outcome {
    record Arrived() implements Outcome {}

    /// @param why names no secret, and nothing that the other side wrote
    record Failed(String why) implements Outcome {}
  }

  default boolean wants(Severity severity) {
    return severity.compareTo(least()) <= 0;
  }
}
