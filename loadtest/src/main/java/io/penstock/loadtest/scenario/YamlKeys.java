package io.penstock.loadtest.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// One mapping of a YAML file, read strictly: a value of another kind is an error, and so is a key
/// that nobody asked for.
final class YamlKeys {
  private final String where;
  private final JsonNode node;
  private final Set<String> asked = new LinkedHashSet<>();

  private YamlKeys(String where, JsonNode node) {
    this.where = where;
    this.node = node;
  }

  /// @param where what to call it in errors
  static YamlKeys of(String where, JsonNode node) throws ScenarioException {
    if (!node.isObject()) {
      throw new ScenarioException(where + ": expected keys with values, found " + shown(node));
    }
    return new YamlKeys(where, node);
  }

  String where() {
    return where;
  }

  String place(String key) {
    return where.endsWith(":") ? where + " " + key : where + "." + key;
  }

  boolean has(String key) {
    asked.add(key);
    return node.hasNonNull(key);
  }

  private JsonNode need(String key, String expected) throws ScenarioException {
    if (!has(key)) {
      throw new ScenarioException(place(key) + ": expected " + expected + ", found nothing");
    }
    return node.get(key);
  }

  String text(String key) throws ScenarioException {
    JsonNode value = need(key, "text");
    if (!value.isTextual()) {
      throw new ScenarioException(place(key) + ": expected text, found " + shown(value));
    }
    return value.asText();
  }

  String text(String key, String otherwise) throws ScenarioException {
    return has(key) ? text(key) : otherwise;
  }

  double number(String key) throws ScenarioException {
    JsonNode value = need(key, "a number");
    if (!value.isNumber()) {
      throw new ScenarioException(place(key) + ": expected a number, found " + shown(value));
    }
    return value.asDouble();
  }

  double number(String key, double otherwise) throws ScenarioException {
    return has(key) ? number(key) : otherwise;
  }

  int whole(String key, int otherwise, int least, int most) throws ScenarioException {
    if (!has(key)) {
      return otherwise;
    }
    JsonNode value = node.get(key);
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.asInt() < least
        || value.asInt() > most) {
      throw new ScenarioException(
          place(key)
              + ": expected a whole number from "
              + least
              + " to "
              + most
              + ", found "
              + shown(value));
    }
    return value.asInt();
  }

  boolean flag(String key) throws ScenarioException {
    if (!has(key)) {
      return false;
    }
    JsonNode value = node.get(key);
    if (!value.isBoolean()) {
      throw new ScenarioException(place(key) + ": expected true or false, found " + shown(value));
    }
    return value.asBoolean();
  }

  Optional<YamlKeys> inner(String key) throws ScenarioException {
    return has(key) ? Optional.of(of(place(key), node.get(key))) : Optional.empty();
  }

  /// The elements of a list; empty if there is none.
  List<Element> list(String key) throws ScenarioException {
    List<Element> elements = new ArrayList<>();
    if (!has(key)) {
      return elements;
    }
    JsonNode list = node.get(key);
    if (!list.isArray()) {
      throw new ScenarioException(place(key) + ": expected a list, found " + shown(list));
    }
    for (int i = 0; i < list.size(); i++) {
      elements.add(new Element(place(key) + "[" + i + "]", list.get(i)));
    }
    return elements;
  }

  /// One of a list.
  record Element(String where, JsonNode node) {
    YamlKeys keys() throws ScenarioException {
      return of(where, node);
    }
  }

  /// After everything was asked for.
  void end() throws ScenarioException {
    Set<String> unknown = new TreeSet<>();
    node.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(asked);
    if (!unknown.isEmpty()) {
      throw new ScenarioException(
          place(unknown.iterator().next())
              + ": expected one of "
              + String.join(", ", asked)
              + ", found an unknown key");
    }
  }

  static String shown(JsonNode node) {
    String text = node.toString();
    return text.length() <= 60 ? text : text.substring(0, 57) + "...";
  }
}
