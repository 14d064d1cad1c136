package io.penstock.loadtest.engine;

import io.penstock.loadtest.rate.Rate;

/// When requests start.
public sealed interface Pace {
  /// At intended times, whatever became of the ones before: as independent callers do. Latency
  /// under a given load is measured this way.
  record Open(Rate rate) implements Pace {}

  /// Each connection sends its next request when its last one is answered. What can be reached is
  /// measured this way; a slow target slows its own load down, so the percentiles flatter it.
  record Closed() implements Pace {}
}
