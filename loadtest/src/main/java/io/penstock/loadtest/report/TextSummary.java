package io.penstock.loadtest.report;

import io.penstock.loadtest.watch.JvmMemory;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/// What a person reads when the run is over.
public final class TextSummary {
  private static final String BROKER = "broker";

  private final RunResult run;
  private final Formatter text = new Formatter(Locale.ROOT);

  private TextSummary(RunResult run) {
    this.run = run;
  }

  public static String of(RunResult run) {
    return new TextSummary(run).write();
  }

  private String write() {
    text.format("scenario %s: %s\n", run.scenario(), run.description());
    text.format("commit %s, started %s\n", run.commit(), run.started());
    run.targets().forEach(this::target);
    run.fleet().ifPresent(this::fleet);
    growth();
    run.failures().forEach(failure -> text.format("  FAILED: %s\n", failure));
    run.remarks().forEach(remark -> text.format("  %s\n", remark));
    text.format("\n");
    List<String> invalid = run.invalid();
    text.format(
        "%s\n",
        invalid.isEmpty() ? "valid: the generator kept up" : "INVALID: do not quote these figures");
    invalid.forEach(reason -> text.format("  %s\n", reason));
    return text.toString();
  }

  private void fleet(FleetUse fleet) {
    text.format(
        "\nfleet of %d tunnels of site %s, idle: %.1f KB each at the broker: %.1f of live heap,"
            + " %.1f resident outside the heap\n",
        fleet.tunnels(), fleet.site(), fleet.heldKb(), fleet.heapKb(), fleet.outsideKb());
    text.format(
        "  all resident: RSS %.1f KB each, PSS %.1f (with what collections leave unused in the"
            + " heap)\n",
        fleet.residentKb(), fleet.proportionalKb());
    text.format(
        "  heartbeats and the like: %.1f CPU ms per second at the broker\n",
        fleet.idleCpu() * 1_000);
    memory("before", fleet.before());
    memory("idle", fleet.idle());
    for (RunResult.Segment segment : run.segments()) {
      text.format(
          "  %s, turn %d: broker %.1f CPU ms per 1,000 answers, %.0f MB resident at most\n",
          segment.target(),
          segment.repeat(),
          Figures.cpuMsPer1000(List.of(segment)).getOrDefault(BROKER, Double.NaN),
          run.residentBytes(segment).getOrDefault(BROKER, 0L) / 1e6);
    }
  }

  private void memory(String when, JvmMemory memory) {
    text.format(
        "  %-7s %.1f MB: %.1f of live heap, %.1f resident outside the heap; RSS %.1f, PSS %.1f\n",
        when,
        memory.heldBytes() / 1e6,
        memory.heapUsedBytes() / 1e6,
        memory.outsideBytes() / 1e6,
        memory.residentBytes() / 1e6,
        memory.proportionalBytes() / 1e6);
  }

  private void growth() {
    if (run.growth().isEmpty()) {
      return;
    }
    text.format("\ngrowth: %s\n", growthVerdict());
    run.growth().forEach(growth -> text.format("  %s\n", growth.text()));
  }

  private String growthVerdict() {
    if (!run.growing().isEmpty()) {
      return "THERE IS SOME";
    }
    if (!run.unknown().isEmpty()) {
      return "NOT KNOWN of what has a limit";
    }
    return run.growthJudged() ? "none seen" : "not judged";
  }

  private void target(String name) {
    List<RunResult.Segment> segments = run.segmentsOf(name);
    text.format("\n");
    text.format(
        "target %s, %d × %.0f s\n",
        name, segments.size(), segments.getFirst().durationNanos() / 1e9);
    Figures.of(run, name).values().forEach(this::flow);
    Map<String, Double> cpu = Figures.cpuMsPer1000(segments);
    if (!cpu.isEmpty()) {
      text.format("  CPU ms per 1,000 answers: %s\n", values(cpu));
    }
  }

  private void flow(Figures flow) {
    text.format(
        "  %s (%s): %.1f answers/s, %.2f MB/s, %d answered, at most %d at once, %d failed%s\n",
        flow.flow(),
        flow.open() ? "open loop" : "closed loop",
        flow.ended().answersPerSecond(),
        flow.ended().bytesPerSecond() / 1e6,
        flow.outcomes().answered(),
        flow.mostAtOnce(),
        flow.outcomes().failures(),
        flow.outcomes().errors().isEmpty() ? "" : " " + flow.outcomes().errors());
    percentiles("response", flow.outcomes().response());
    percentiles("service", flow.outcomes().service());
    if (flow.lateness().getTotalCount() > 0) {
      percentiles("lateness", flow.lateness());
    }
    flow.hops().byName().forEach((hop, times) -> percentiles("hop " + hop, times));
  }

  private void percentiles(String what, Histogram histogram) {
    if (histogram.getTotalCount() == 0) {
      return;
    }
    text.format(
        "    %-12s p50 %s  p90 %s  p99 %s  p99.9 %s  max %s ms\n",
        what,
        millis(histogram, 50),
        millis(histogram, 90),
        millis(histogram, 99),
        millis(histogram, 99.9),
        millis(histogram, 100));
  }

  private static String millis(Histogram histogram, double percentile) {
    double millis = histogram.getValueAtPercentile(percentile) / 1e6;
    String format = millis < 10 ? "%.3f" : millis < 100 ? "%.2f" : "%.1f";
    return String.format(Locale.ROOT, format, millis);
  }

  private static String values(Map<String, Double> byName) {
    return byName.entrySet().stream()
        .map(one -> String.format(Locale.ROOT, "%s %.1f", one.getKey(), one.getValue()))
        .collect(Collectors.joining(", "));
  }
}
