package io.penstock.loadtest.record;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/// The times that answers give for each hop in `Server-Timing`, in nanoseconds.
public final class Hops {
  private static final int DIGITS = 3;
  private static final int MAX_HOPS = 16;

  private final Map<String, Histogram> byName = new LinkedHashMap<>();

  /// Beyond 16 names, new ones are not recorded.
  public void add(String hop, double millis) {
    Histogram histogram = byName.get(hop);
    if (histogram == null) {
      if (byName.size() == MAX_HOPS) {
        return;
      }
      histogram = new Histogram(DIGITS);
      byName.put(hop, histogram);
    }
    histogram.recordValue(Math.max(0, Math.round(millis * 1e6)));
  }

  public void add(Hops other) {
    other.byName.forEach(
        (hop, times) -> byName.computeIfAbsent(hop, _ -> new Histogram(DIGITS)).add(times));
  }

  /// In the order in which they were seen first.
  public Map<String, Histogram> byName() {
    return Collections.unmodifiableMap(byName);
  }
}
