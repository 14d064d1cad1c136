package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/// A problem document (RFC 9457) of the API or of an invocation, or what could be made of an answer
/// that is none.
record Problem(int status, ObjectNode document) {

  static Problem of(int status, byte[] body) {
    ObjectNode document =
        Json.parse(body)
            .filter(JsonNode::isObject)
            .map(ObjectNode.class::cast)
            .orElseGet(() -> Json.object().put("title", "an answer without a problem document"));
    if (!document.has("status")) {
      document.put("status", status);
    }
    return new Problem(status, document);
  }

  /// One line: what went wrong, why, and the id to ask for in the broker's log.
  String text() {
    StringBuilder text = new StringBuilder();
    text.append(document.path("title").asText("refused"));
    String detail = document.path("detail").asText("");
    if (!detail.isEmpty()) {
      text.append(": ").append(detail);
    }
    for (JsonNode error : document.path("errors")) {
      String path = error.path("path").asText();
      text.append("; ")
          .append(path.isEmpty() ? "settings" : path)
          .append(": expected ")
          .append(error.path("expected").asText())
          .append(", found ")
          .append(error.path("found").asText());
    }
    text.append(" (HTTP ").append(status);
    String requestId = document.path("request_id").asText("");
    if (!requestId.isEmpty()) {
      text.append(", request ").append(requestId);
    }
    return printable(text.append(')').toString());
  }

  /// What comes from the network may not steer the operator's terminal.
  private static String printable(String text) {
    return text.codePoints()
        .map(c -> Character.isISOControl(c) ? ' ' : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
