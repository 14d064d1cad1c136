package io.penstock.loadtest.report;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.record.Hops;
import io.penstock.loadtest.record.Outcomes;
import io.penstock.loadtest.record.Recording;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/// One flow at one target, all its turns together.
record Figures(
    String flow,
    boolean open,
    Outcomes outcomes,
    Ended ended,
    Hops hops,
    Histogram lateness,
    int mostAtOnce) {
  private static final int DIGITS = 3;

  /// By flow, in the order of the scenario.
  static Map<String, Figures> of(RunResult run, String target) {
    Map<String, Figures> result = new LinkedHashMap<>();
    for (RunResult.Segment segment : run.segmentsOf(target)) {
      for (FlowResult flow : segment.flows()) {
        result.merge(flow.flow(), one(flow), Figures::plus);
      }
    }
    return result;
  }

  private static Figures one(FlowResult flow) {
    return new Figures(
        flow.flow(),
        flow.open(),
        flow.recording().total(),
        Ended.within(flow),
        flow.recording().hops(),
        flow.lateness(),
        flow.mostAtOnce());
  }

  private Figures plus(Figures other) {
    var all = new Hops();
    all.add(hops);
    all.add(other.hops);
    Histogram late = new Histogram(DIGITS);
    late.add(lateness);
    late.add(other.lateness);
    return new Figures(
        flow,
        open,
        Recording.sum(List.of(outcomes, other.outcomes)),
        ended.plus(other.ended),
        all,
        late,
        Math.max(mostAtOnce, other.mostAtOnce));
  }

  /// CPU time of each process for 1,000 answers of a target.
  static Map<String, Double> cpuMsPer1000(List<RunResult.Segment> segments) {
    long answered = segments.stream().mapToLong(RunResult.Segment::answered).sum();
    Map<String, Double> result = new LinkedHashMap<>();
    if (answered == 0) {
      return result;
    }
    for (RunResult.Segment segment : segments) {
      segment
          .cpuNanos()
          .forEach(
              (process, nanos) ->
                  result.merge(process, nanos / 1e6 * 1_000 / answered, Double::sum));
    }
    return result;
  }
}
