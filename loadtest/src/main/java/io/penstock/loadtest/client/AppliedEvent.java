package io.penstock.loadtest.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;

/// The audit event `system.applied`: an agent proved that it runs one version, or several systems'
/// versions together.
public final class AppliedEvent {
  private AppliedEvent() {}

  /// The versions of one system that `event` is about, in the order of their receipts.
  public static LongStream versions(JsonNode event, String system) {
    JsonNode changes = event.path("changes");
    if (changes.has("version")) {
      return LongStream.of(changes.path("version").asLong());
    }
    return StreamSupport.stream(changes.path("systems").spliterator(), false)
        .filter(one -> one.path("system").asText().equals(system))
        .mapToLong(one -> one.path("version").asLong());
  }
}
