package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.schema.PluginSchema;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Settings as they are typed on a command line, in the types of the plugin's schema.
final class SystemSettings {
  private final PluginSchema schema;
  private final JsonNode schemaJson;
  private final ObjectNode settings;

  SystemSettings(PluginSchema schema, ObjectNode settings) {
    this.schema = schema;
    this.schemaJson = Json.parse(schema.text().getBytes(StandardCharsets.UTF_8)).orElseThrow();
    this.settings = settings;
  }

  static ObjectNode ofFile(Path file) {
    try {
      return Json.parse(Files.readAllBytes(file))
          .filter(ObjectNode.class::isInstance)
          .map(ObjectNode.class::cast)
          .orElseThrow(() -> Failure.wrongUsage(file + ": expected a JSON object"));
    } catch (IOException e) {
      throw Failure.failed("cannot read " + file);
    }
  }

  /// `KEY=VALUE`: text, number or boolean; lists and objects as JSON.
  void set(String assignment) {
    int equals = assignment.indexOf('=');
    if (equals <= 0) {
      throw Failure.wrongUsage("--set: expected KEY=VALUE, found no = after a key");
    }
    String key = assignment.substring(0, equals);
    requireNoSecret(key);
    settings.set(key, typed(key, assignment.substring(equals + 1)));
  }

  /// Arguments can be read by every process of this machine.
  private void requireNoSecret(String key) {
    if (schema.secretFields().contains(key)) {
      throw Failure.wrongUsage(
          key
              + " is a secret: give it with --secret-stdin "
              + key
              + " or --secret-file "
              + key
              + "=FILE");
    }
  }

  private JsonNode typed(String key, String value) {
    return switch (type(key)) {
      case "integer" -> integer(key, value);
      case "number" -> number(key, value);
      case "boolean" -> bool(key, value);
      case "array", "object" -> json(key, value);
      default -> settings.textNode(value);
    };
  }

  private String type(String key) {
    JsonNode field = schemaJson.path("properties").path(key);
    String reference = field.path("$ref").asText("");
    if (reference.startsWith("#/")) {
      return schemaJson.at(reference.substring(1)).path("type").asText();
    }
    return field.path("type").asText();
  }

  private JsonNode integer(String key, String value) {
    try {
      return settings.numberNode(new BigInteger(value));
    } catch (NumberFormatException e) {
      throw Failure.wrongUsage("--set " + key + ": expected a whole number");
    }
  }

  private JsonNode number(String key, String value) {
    try {
      return settings.numberNode(new BigDecimal(value));
    } catch (NumberFormatException e) {
      throw Failure.wrongUsage("--set " + key + ": expected a number");
    }
  }

  private JsonNode bool(String key, String value) {
    return switch (value) {
      case "true" -> settings.booleanNode(true);
      case "false" -> settings.booleanNode(false);
      default -> throw Failure.wrongUsage("--set " + key + ": expected true or false");
    };
  }

  private static JsonNode json(String key, String value) {
    return Json.parse(value.getBytes(StandardCharsets.UTF_8))
        .filter(JsonNode::isContainerNode)
        .orElseThrow(() -> Failure.wrongUsage("--set " + key + ": expected a list in JSON"));
  }

  /// `GET,POST /api/** /health`: adds one entry to what may be invoked.
  void allow(String entry) {
    String[] parts = entry.strip().split("\\s+");
    if (parts.length < 2) {
      throw Failure.wrongUsage("--allow: expected METHODS PATHS, such as \"GET,POST /api/**\"");
    }
    ObjectNode rule = Json.object();
    ArrayNode methods = rule.putArray("methods");
    List.of(parts[0].split(",", -1)).forEach(methods::add);
    ArrayNode paths = rule.putArray("paths");
    List.of(parts).subList(1, parts.length).forEach(paths::add);
    settings.withArrayProperty("allow").add(rule);
  }

  ObjectNode node() {
    return settings;
  }

  byte[] bytes() {
    return Json.oneLine(settings).getBytes(StandardCharsets.UTF_8);
  }
}
