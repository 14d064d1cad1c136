package io.penstock.broker.api;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/// What a route answers.
///
/// @param body JSON text, empty = no body
record Answer(int status, String body) {
  static Answer ok(JsonObject body) {
    return new Answer(200, body.encode());
  }

  static Answer ok(JsonArray body) {
    return new Answer(200, body.encode());
  }

  static Answer created(JsonObject body) {
    return new Answer(201, body.encode());
  }

  static Answer nothing() {
    return new Answer(204, "");
  }
}
