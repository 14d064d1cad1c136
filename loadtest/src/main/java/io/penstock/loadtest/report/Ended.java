package io.penstock.loadtest.report;

import io.penstock.loadtest.engine.FlowResult;
import java.util.List;

/// What came within a flow's duration: throughput counts by when an answer ended, not by when its
/// request was meant to start.
record Ended(long answers, long bytes, long durationNanos) {
  static Ended within(FlowResult flow) {
    long durationNanos = flow.durationNanos();
    long interval = flow.recording().intervalNanos();
    int whole = Math.toIntExact(Math.ceilDiv(flow.startNanos() + durationNanos, interval));
    return new Ended(
        sum(flow.recording().endings(), whole),
        sum(flow.recording().received(), whole),
        durationNanos);
  }

  private static long sum(List<Long> counts, int most) {
    return counts.stream().limit(most).mapToLong(Long::longValue).sum();
  }

  Ended plus(Ended other) {
    return new Ended(
        answers + other.answers, bytes + other.bytes, durationNanos + other.durationNanos);
  }

  double answersPerSecond() {
    return durationNanos == 0 ? 0 : answers * 1e9 / durationNanos;
  }

  double bytesPerSecond() {
    return durationNanos == 0 ? 0 : bytes * 1e9 / durationNanos;
  }
}
