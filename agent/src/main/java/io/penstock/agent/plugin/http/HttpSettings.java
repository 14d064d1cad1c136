package io.penstock.agent.plugin.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.agent.plugin.SettingsException;
import io.penstock.codec.Deadlines;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The `settings` and secrets of a system behind the `http` plugin, checked.
///
/// @param deadlines 0 = no limit besides the caller's
/// @param maxConnections open at once, busy and idle
/// @param maxWaiting calls that wait for a connection; beyond: OVERLOADED
record HttpSettings(
    Origin origin,
    Optional<Path> caFile,
    Deadlines deadlines,
    int maxConnections,
    int maxWaiting,
    Credentials credentials) {
  private static final int MAX_MS = 24 * 60 * 60 * 1000;
  private static final Set<String> KEYS =
      Set.of(
          "base_url",
          "ca_file",
          "connect_ms",
          "first_byte_ms",
          "idle_ms",
          "total_ms",
          "max_connections",
          "max_waiting");

  /// @throws SettingsException with every problem at once
  static HttpSettings read(JsonNode node, JsonNode secrets) {
    var problems = new ArrayList<String>();
    node.fieldNames()
        .forEachRemaining(
            key -> {
              if (!KEYS.contains(key) && !Credentials.SETTINGS.contains(key)) {
                problems.add(key + ": unknown key");
              }
            });
    Optional<Origin> origin = origin(node.path("base_url"), problems);
    Optional<Path> caFile = caFile(node.path("ca_file"), problems);
    var deadlines =
        new Deadlines(
            integer(node, "connect_ms", 0, 0, MAX_MS, problems),
            integer(node, "first_byte_ms", 0, 0, MAX_MS, problems),
            integer(node, "idle_ms", 0, 0, MAX_MS, problems),
            integer(node, "total_ms", 0, 0, MAX_MS, problems));
    int maxConnections = integer(node, "max_connections", 256, 1, 4_096, problems);
    int maxWaiting = integer(node, "max_waiting", 1_024, 0, 16_384, problems);
    var credentials = Credentials.read(node, secrets, problems);
    if (origin.isEmpty() || !problems.isEmpty()) {
      throw new SettingsException(problems);
    }
    return new HttpSettings(
        origin.get(), caFile, deadlines, maxConnections, maxWaiting, credentials);
  }

  private static Optional<Origin> origin(JsonNode node, List<String> problems) {
    Optional<Origin> origin = Origin.of(node.asText(""));
    if (origin.isEmpty()) {
      problems.add(
          "base_url: expected http:// or https://, a host and an optional port and path, without"
              + " user, query or fragment");
    }
    return origin;
  }

  private static Optional<Path> caFile(JsonNode node, List<String> problems) {
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    try {
      Path file = Path.of(node.asText());
      if (node.isTextual() && Files.isReadable(file)) {
        return Optional.of(file);
      }
    } catch (InvalidPathException _) {
      // Told below.
    }
    problems.add("ca_file: expected a readable PEM file, found " + node.asText());
    return Optional.empty();
  }

  private static int integer(
      JsonNode settings, String key, int fallback, int least, int most, List<String> problems) {
    JsonNode node = settings.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return fallback;
    }
    if (node.isIntegralNumber() && node.canConvertToInt()) {
      int value = node.intValue();
      if (value >= least && value <= most) {
        return value;
      }
    }
    problems.add(
        key
            + ": expected a whole number from "
            + least
            + " to "
            + most
            + ", found "
            + node.asText());
    return fallback;
  }
}
