package io.penstock.loadtest.report;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.record.Outcomes;
import java.io.FileNotFoundException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/// Raw histograms of every interval, in HdrHistogram's own log format, which its tools read: one
/// file for each target, flow and kind of time. Values are nanoseconds; timestamps are seconds
/// since the start of the run.
public final class HdrLogs {
  private static final double MAX_UNIT_NANOS_PER_MS = 1e6;

  private HdrLogs() {}

  static String fileName(String target, String flow, String kind) {
    return target + "." + flow + "." + kind + ".hlog";
  }

  public static void write(RunResult run, Path directory) throws FileNotFoundException {
    for (String target : run.targets()) {
      for (String flow : Figures.of(run, target).keySet()) {
        write(run, directory, target, flow, "response", Outcomes::response);
        write(run, directory, target, flow, "service", Outcomes::service);
      }
    }
  }

  private static void write(
      RunResult run,
      Path directory,
      String target,
      String flow,
      String kind,
      Function<Outcomes, Histogram> histogram)
      throws FileNotFoundException {
    Path file = directory.resolve(fileName(target, flow, kind));
    HistogramLogWriter log = new HistogramLogWriter(file.toFile());
    try {
      log.outputComment(
          String.format(
              Locale.ROOT,
              "[%s time of %s at %s, nanoseconds; scenario %s, commit %s, started %s]",
              kind,
              flow,
              target,
              run.scenario(),
              run.commit(),
              run.started()));
      log.outputLogFormatVersion();
      log.outputLegend();
      for (RunResult.Segment segment : run.segmentsOf(target)) {
        for (FlowResult one : segment.flows()) {
          if (one.flow().equals(flow)) {
            intervals(log, segment, one, histogram);
          }
        }
      }
    } finally {
      log.close();
    }
  }

  private static void intervals(
      HistogramLogWriter log,
      RunResult.Segment segment,
      FlowResult flow,
      Function<Outcomes, Histogram> histogram) {
    List<Outcomes> intervals = flow.recording().intervals();
    double length = flow.recording().intervalNanos() / 1e9;
    for (int i = 0; i < intervals.size(); i++) {
      double start = segment.startNanos() / 1e9 + i * length;
      log.outputIntervalHistogram(
          start, start + length, histogram.apply(intervals.get(i)), MAX_UNIT_NANOS_PER_MS);
    }
  }
}
