package io.penstock.loadtest.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.record.Outcomes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/// The run as one HTML page that needs nothing else: charts by uPlot, which is inlined with its
/// licence.
public final class HtmlReport {
  /// Rows of the heatmap: eight for each factor of ten from 10 µs on.
  private static final int ROWS_PER_DECADE = 8;

  private static final double LOWEST_NANOS = 10_000;

  private HtmlReport() {}

  /// @param json as [JsonReport] made it
  public static String of(RunResult run, ObjectNode json) throws IOException {
    ObjectNode data = JsonNodeFactory.instance.objectNode();
    data.set("run", json);
    data.put("summary", TextSummary.of(run));
    ArrayNode heatmaps = data.putArray("heatmaps");
    for (RunResult.Segment segment : run.segments()) {
      for (FlowResult flow : segment.flows()) {
        heatmap(heatmaps.addObject(), segment, flow);
      }
    }
    // Each placeholder stands once; what is put in is never looked at again.
    return fill(
        resource("report.html"),
        List.of(
            "LICENSE", resource("uplot/LICENSE").replace("--", "- -"),
            "CSS", resource("uplot/uPlot.min.css"),
            "UPLOT", resource("uplot/uPlot.iife.min.js"),
            "DATA", data.toString().replace("<", "\\u003c"),
            "SCRIPT", resource("report.js")));
  }

  private static String fill(String template, List<String> namesAndTexts) {
    StringBuilder page = new StringBuilder();
    int from = 0;
    for (int i = 0; i < namesAndTexts.size(); i += 2) {
      String mark = "@@" + namesAndTexts.get(i) + "@@";
      int at = template.indexOf(mark, from);
      if (at < 0) {
        throw new IllegalStateException("the page has no " + mark);
      }
      page.append(template, from, at).append(namesAndTexts.get(i + 1));
      from = at + mark.length();
    }
    return page.append(template.substring(from)).toString();
  }

  /// Cells as [second, row, requests].
  private static void heatmap(ObjectNode json, RunResult.Segment segment, FlowResult flow) {
    json.put("target", segment.target()).put("flow", flow.flow());
    double length = flow.recording().intervalNanos() / 1e9;
    json.put("interval_s", length).put("rows_per_decade", ROWS_PER_DECADE);
    json.put("lowest_ms", LOWEST_NANOS / 1e6);
    ArrayNode cells = json.putArray("cells");
    List<Outcomes> intervals = flow.recording().intervals();
    for (int i = 0; i < intervals.size(); i++) {
      cells(cells, segment.startNanos() / 1e9 + i * length, intervals.get(i).response());
    }
  }

  private static void cells(ArrayNode cells, double at, Histogram histogram) {
    long count = 0;
    int row = -1;
    for (HistogramIterationValue value : histogram.recordedValues()) {
      int of = row(value.getValueIteratedTo());
      if (of != row && count > 0) {
        cells.addArray().add(at).add(row).add(count);
        count = 0;
      }
      row = of;
      count += value.getCountAtValueIteratedTo();
    }
    if (count > 0) {
      cells.addArray().add(at).add(row).add(count);
    }
  }

  static int row(long nanos) {
    double decades = Math.log10(Math.max(LOWEST_NANOS, (double) nanos) / LOWEST_NANOS);
    return (int) Math.floor(decades * ROWS_PER_DECADE);
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("the jar lacks " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
