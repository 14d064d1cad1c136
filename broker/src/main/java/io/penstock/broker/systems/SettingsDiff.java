package io.penstock.broker.systems;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What differs between two settings, by JSON pointer (RFC 6901). Objects are compared by member;
/// an array is one value, because the place of a member says nothing of what became of it.
public final class SettingsDiff {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int MAX_AUDITED = 100;
  private static final int MAX_AUDITED_CHARS = 1_000;

  private SettingsDiff() {}

  /// @param oldJson one JSON value; empty = there was none
  public record Change(Optional<String> oldJson, Optional<String> newJson) {}

  static SortedMap<String, Change> of(byte[] before, byte[] after) {
    var changes = new TreeMap<String, Change>();
    compare("", parse(before), parse(after), changes);
    return Collections.unmodifiableSortedMap(changes);
  }

  /// As an audit event holds it: bounded in number and length.
  static Map<String, Object> audited(SortedMap<String, Change> changes) {
    var all = new LinkedHashMap<String, Object>();
    changes.entrySet().stream()
        .limit(MAX_AUDITED)
        .forEach(
            entry -> {
              var change = new LinkedHashMap<String, @Nullable Object>();
              entry.getValue().oldJson().ifPresent(json -> change.put("old", auditedValue(json)));
              entry.getValue().newJson().ifPresent(json -> change.put("new", auditedValue(json)));
              all.put(entry.getKey(), change);
            });
    if (changes.size() > MAX_AUDITED) {
      all.put("more", changes.size() - MAX_AUDITED);
    }
    return all;
  }

  private static @Nullable Object auditedValue(String json) {
    if (json.length() > MAX_AUDITED_CHARS) {
      return json.substring(0, MAX_AUDITED_CHARS) + "… of " + json.length() + " characters";
    }
    try {
      return JSON.readValue(json, Object.class);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("what was written is readable", impossible);
    }
  }

  private static void compare(
      String at, JsonNode before, JsonNode after, SortedMap<String, Change> changes) {
    if (before.equals(after)) {
      return;
    }
    if (!before.isObject() || !after.isObject()) {
      changes.put(at, new Change(text(before), text(after)));
      return;
    }
    var names = new TreeSet<String>();
    before.fieldNames().forEachRemaining(names::add);
    after.fieldNames().forEachRemaining(names::add);
    for (String name : names) {
      compare(at + "/" + escaped(name), before.path(name), after.path(name), changes);
    }
  }

  private static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  private static Optional<String> text(JsonNode node) {
    if (node.isMissingNode()) {
      return Optional.empty();
    }
    try {
      return Optional.of(JSON.writeValueAsString(node));
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("a tree is always writable", impossible);
    }
  }

  private static JsonNode parse(byte[] json) {
    if (json.length == 0) {
      return JsonNodeFactory.instance.objectNode();
    }
    try {
      return JSON.readTree(json);
    } catch (IOException _) {
      throw new IllegalStateException("settings that were validated are JSON");
    }
  }
}
