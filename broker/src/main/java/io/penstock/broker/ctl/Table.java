package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Plain columns, wide enough for their longest cell, that `awk` can read.
final class Table {

  static void print(PrintStream out, List<JsonNode> rows, List<String> columns) {
    if (rows.isEmpty()) {
      out.println("none");
      return;
    }
    List<List<String>> lines = new ArrayList<>();
    lines.add(columns.stream().map(Table::heading).toList());
    for (JsonNode row : rows) {
      lines.add(columns.stream().map(column -> printable(Json.cell(row, column))).toList());
    }
    int[] widths = widths(lines, columns.size());
    lines.forEach(line -> out.println(laidOut(line, widths)));
  }

  static void printFields(PrintStream out, JsonNode object) {
    List<List<String>> lines = new ArrayList<>();
    object
        .fieldNames()
        .forEachRemaining(name -> lines.add(List.of(name, printable(Json.cell(object, name)))));
    int[] widths = widths(lines, 2);
    lines.forEach(line -> out.println(laidOut(line, widths)));
  }

  private static String heading(String column) {
    return column.substring(column.lastIndexOf('.') + 1).toUpperCase(Locale.ROOT);
  }

  private static int[] widths(List<List<String>> lines, int columns) {
    int[] widths = new int[columns];
    for (List<String> line : lines) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    return widths;
  }

  private static String laidOut(List<String> cells, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.size(); i++) {
      line.append(cells.get(i));
      if (i < cells.size() - 1) {
        line.repeat(" ", widths[i] - cells.get(i).length() + 2);
      }
    }
    return line.toString();
  }

  /// What comes from the network may not steer the operator's terminal.
  private static String printable(String text) {
    return text.replaceAll("\\p{Cntrl}", " ");
  }

  private Table() {}
}
