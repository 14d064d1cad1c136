package io.penstock.broker.api;

import io.penstock.broker.audit.Report;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A report as RFC 4180 says, with a header line.
final class ReportCsv {
  private static final String END = "\r\n";

  /// What a spreadsheet takes for the beginning of a formula. Who fails to sign in chooses the name
  /// that stands in a report.
  private static final String FORMULA = "=+-@\t\r";

  private ReportCsv() {}

  static String of(Report report) {
    var text = new StringBuilder(String.join(",", report.fields())).append(END);
    for (List<@Nullable Object> row : report.rows()) {
      for (int i = 0; i < row.size(); i++) {
        text.append(i == 0 ? "" : ",").append(cell(row.get(i)));
      }
      text.append(END);
    }
    return text.toString();
  }

  private static String cell(@Nullable Object value) {
    if (value == null) {
      return "";
    }
    String text = value.toString();
    if (value instanceof String && !text.isEmpty() && FORMULA.indexOf(text.charAt(0)) >= 0) {
      text = "'" + text;
    }
    boolean plain = text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
    return plain ? text : "\"" + text.replace("\"", "\"\"") + "\"";
  }
}
