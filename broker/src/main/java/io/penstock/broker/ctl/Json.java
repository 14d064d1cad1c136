package io.penstock.broker.ctl;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reading and writing JSON, and the shapes that the API's answers share.
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
  private static final JsonMapper ONE_LINE = JsonMapper.builder().build();

  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  static Optional<JsonNode> parse(byte[] text) {
    try {
      return Optional.ofNullable(MAPPER.readTree(text)).filter(node -> !node.isMissingNode());
    } catch (java.io.IOException notJson) {
      return Optional.empty();
    }
  }

  static String pretty(JsonNode node) {
    return written(MAPPER, node);
  }

  static String oneLine(JsonNode node) {
    return written(ONE_LINE, node);
  }

  private static String written(JsonMapper mapper, JsonNode node) {
    try {
      return mapper.writeValueAsString(node);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("a tree is always writable", impossible);
    }
  }

  /// The elements of a list answer: the array itself, or the one array of an object that adds
  /// paging to it.
  static List<JsonNode> items(JsonNode answer) {
    JsonNode array = answer;
    if (answer.isObject()) {
      for (JsonNode value : answer) {
        if (value.isArray()) {
          array = value;
          break;
        }
      }
    }
    List<JsonNode> items = new ArrayList<>();
    if (array.isArray()) {
      array.forEach(items::add);
    }
    return items;
  }

  /// A field as a cell of a table; a dotted name reaches inward.
  static String cell(JsonNode node, String name) {
    JsonNode value = node;
    for (String part : name.split("\\.", -1)) {
      value = value.path(part);
    }
    if (value.isMissingNode() || value.isNull()) {
      return "-";
    }
    if (value.isArray()) {
      List<String> parts = new ArrayList<>();
      value.forEach(
          element -> parts.add(element.isValueNode() ? element.asText() : oneLine(element)));
      return parts.isEmpty() ? "-" : String.join(",", parts);
    }
    if (value.isObject()) {
      List<String> parts = new ArrayList<>();
      value
          .properties()
          .forEach(entry -> parts.add(entry.getKey() + "=" + entry.getValue().asText()));
      return parts.isEmpty() ? "-" : String.join(",", parts);
    }
    return value.asText();
  }

  private Json() {}
}
