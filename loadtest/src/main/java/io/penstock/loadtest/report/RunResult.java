package io.penstock.loadtest.report;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.watch.Bottleneck;
import io.penstock.loadtest.watch.GeneratorUse;
import io.penstock.loadtest.watch.Growth;
import io.penstock.loadtest.watch.ProcessSamples;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// All that one run measured.
///
/// @param commit of the sources, or "unknown"
/// @param segments in the order in which they ran: targets take turns
/// @param growth of processes over the run, for a scenario that limits it
/// @param fleet of a scenario that has one
/// @param failures what should not have happened beside the requests
/// @param remarks what a reader has to know besides, for example when a broker was killed
public record RunResult(
    String scenario,
    String description,
    Instant started,
    String commit,
    List<Segment> segments,
    List<ProcessSamples.Sample> samples,
    List<Growth> growth,
    Optional<FleetUse> fleet,
    List<String> failures,
    List<String> remarks) {
  public RunResult {
    segments = List.copyOf(segments);
    samples = List.copyOf(samples);
    growth = List.copyOf(growth);
    failures = List.copyOf(failures);
    remarks = List.copyOf(remarks);
  }

  /// One target's turn.
  ///
  /// @param repeat counts from 1
  /// @param startNanos from the start of the run
  /// @param cpuNanos that each watched process used meanwhile
  public record Segment(
      String target,
      int repeat,
      long startNanos,
      long durationNanos,
      List<FlowResult> flows,
      GeneratorUse generator,
      Map<String, Long> cpuNanos) {
    public Segment {
      flows = List.copyOf(flows);
    }

    /// Of all flows, however late: CPU time runs until the last of them, too.
    long answered() {
      return flows.stream().mapToLong(flow -> flow.recording().total().answered()).sum();
    }
  }

  /// The most that each process had resident during a turn.
  Map<String, Long> residentBytes(Segment segment) {
    Map<String, Long> most = new LinkedHashMap<>();
    long end = segment.startNanos() + segment.durationNanos();
    for (ProcessSamples.Sample sample : samples) {
      if (sample.atNanos() >= segment.startNanos() && sample.atNanos() <= end) {
        most.merge(sample.process(), sample.residentBytes(), Math::max);
      }
    }
    return most;
  }

  public Set<String> targets() {
    Set<String> names = new LinkedHashSet<>();
    segments.forEach(segment -> names.add(segment.target()));
    return names;
  }

  public List<Segment> segmentsOf(String target) {
    return segments.stream().filter(segment -> segment.target().equals(target)).toList();
  }

  /// Why the figures cannot be believed; none if they can.
  public List<String> invalid() {
    List<String> reasons = new ArrayList<>();
    for (Segment segment : segments) {
      List<String> found = new ArrayList<>(Bottleneck.USUAL.ofGenerator(segment.generator()));
      for (FlowResult flow : segment.flows()) {
        found.addAll(
            Bottleneck.USUAL.ofFlow(
                flow.flow(), flow.lateness(), flow.recording().total().response()));
      }
      found.forEach(
          reason -> reasons.add(segment.target() + ", turn " + segment.repeat() + ": " + reason));
    }
    fleet.ifPresent(it -> reasons.addAll(it.losses()));
    return reasons;
  }

  /// What there was more and more of.
  public List<Growth> growing() {
    return growth(Growth.Verdict.GROWS);
  }

  /// What has a limit, and was not seen.
  public List<Growth> unknown() {
    return growth(Growth.Verdict.NOT_KNOWN);
  }

  private List<Growth> growth(Growth.Verdict verdict) {
    return growth.stream().filter(one -> one.verdict() == verdict).toList();
  }

  /// Whether any growth was looked at for long enough.
  public boolean growthJudged() {
    return growth.stream()
        .anyMatch(
            one -> one.verdict() == Growth.Verdict.GROWS || one.verdict() == Growth.Verdict.STEADY);
  }

  /// Flows without a single answer measure nothing.
  public boolean anythingAnswered() {
    return segments.stream()
        .flatMap(segment -> segment.flows().stream())
        .anyMatch(flow -> flow.recording().total().answered() > 0);
  }
}
