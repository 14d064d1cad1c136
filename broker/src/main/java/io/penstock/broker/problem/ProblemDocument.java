package io.penstock.broker.problem;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.util.List;

/// An error as it is written to a stranger: fixed texts, nothing of the request is echoed.
///
/// @param title what a program may switch over
/// @param detail one sentence for a person; empty = none
/// @param errors what is wrong, one by one; may be empty
public record ProblemDocument(int status, String title, String detail, List<Finding> errors) {
  public static final String MEDIA_TYPE = "application/problem+json";

  /// @param path JSON pointer (RFC 6901) into what was sent; empty = all of it
  public record Finding(String path, String expected, String found) {}

  public ProblemDocument {
    errors = List.copyOf(errors);
  }

  public ProblemDocument(int status, String title, String detail) {
    this(status, title, detail, List.of());
  }

  /// @param requestId what to ask for in the broker's log
  public String json(String requestId) {
    var json = new StringBuilder(192).append("{\"type\":\"about:blank\",\"title\":");
    text(json, title).append(",\"status\":").append(status);
    if (!detail.isEmpty()) {
      text(json.append(",\"detail\":"), detail);
    }
    if (!errors.isEmpty()) {
      json.append(",\"errors\":[");
      for (int i = 0; i < errors.size(); i++) {
        text(json.append(i == 0 ? "{" : ",{").append("\"path\":"), errors.get(i).path());
        text(json.append(",\"expected\":"), errors.get(i).expected());
        text(json.append(",\"found\":"), errors.get(i).found()).append('}');
      }
      json.append(']');
    }
    return text(json.append(",\"request_id\":"), requestId).append('}').toString();
  }

  private static StringBuilder text(StringBuilder json, String text) {
    json.append('"');
    JsonStringEncoder.getInstance().quoteAsString(text, json);
    return json.append('"');
  }
}
