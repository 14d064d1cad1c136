package io.penstock.broker.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a route answers.
///
/// @param body text, empty = no body
/// @param type of the body
/// @param link to what belongs to it, such as the next page; empty = none
/// @param cookies `Set-Cookie` values
/// @param fields further header fields
/// @param file sent in place of the body, and then deleted
record Answer(
    int status,
    String body,
    String type,
    String link,
    List<String> cookies,
    Map<String, String> fields,
    Optional<Path> file) {
  private static final String JSON = "application/json";

  Answer {
    cookies = List.copyOf(cookies);
    fields = Map.copyOf(fields);
  }

  Answer(int status, String body) {
    this(status, body, JSON, "");
  }

  Answer(int status, String body, String type, String link) {
    this(status, body, type, link, List.of(), Map.of(), Optional.empty());
  }

  static Answer ok(JsonObject body) {
    return new Answer(200, body.encode());
  }

  static Answer ok(JsonArray body) {
    return new Answer(200, body.encode());
  }

  static Answer created(JsonObject body) {
    return new Answer(201, body.encode());
  }

  /// It waits for somebody.
  static Answer accepted(JsonObject body) {
    return new Answer(202, body.encode());
  }

  /// A file that is deleted once it is sent, or cannot be.
  static Answer sending(Path file, String type) {
    return new Answer(200, "", type, "", List.of(), Map.of(), Optional.of(file));
  }

  static Answer nothing() {
    return new Answer(204, "");
  }

  Answer with(List<String> newCookies) {
    return new Answer(status, body, type, link, newCookies, fields, file);
  }

  /// Where what was made is.
  Answer at(String place) {
    return withField("Location", place);
  }

  Answer withField(String name, String value) {
    var more = new HashMap<>(fields);
    more.put(name, value);
    return new Answer(status, body, type, link, cookies, more, file);
  }
}
