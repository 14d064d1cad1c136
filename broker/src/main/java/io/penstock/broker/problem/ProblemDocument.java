package io.penstock.broker.problem;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

/// An error as it is written to a stranger: fixed texts, nothing of the request is echoed.
///
/// @param title what a program may switch over
/// @param detail one sentence for a person; empty = none
public record ProblemDocument(int status, String title, String detail) {
  public static final String MEDIA_TYPE = "application/problem+json";

  /// @param requestId what to ask for in the broker's log
  public String json(String requestId) {
    var json = new StringBuilder(192).append("{\"type\":\"about:blank\",\"title\":");
    text(json, title).append(",\"status\":").append(status);
    if (!detail.isEmpty()) {
      text(json.append(",\"detail\":"), detail);
    }
    return text(json.append(",\"request_id\":"), requestId).append('}').toString();
  }

  private static StringBuilder text(StringBuilder json, String text) {
    json.append('"');
    JsonStringEncoder.getInstance().quoteAsString(text, json);
    return json.append('"');
  }
}
