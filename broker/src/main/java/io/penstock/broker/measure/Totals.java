package io.penstock.broker.measure;

import java.util.Map;
import java.util.TreeMap;

/// What series have come to since the start, for counters that only rise. A series that gave its
/// place up begins at 0 when it is called again. Written by the merger, read by anybody.
public final class Totals {
  private static final int CLASSES = 6;

  private final Map<SeriesKey, long[]> sums = new TreeMap<>();

  /// The sums of one series.
  public static final class Sums {
    private final long[] values;

    private Sums(long[] values) {
      this.values = values;
    }

    /// @param statusClass first digit of the status; 0 = none
    public long answered(int statusClass) {
      return values[statusClass];
    }

    public long failed(int statusClass) {
      return values[CLASSES + statusClass];
    }

    /// Of answered calls.
    public long micros(Hop hop) {
      return values[2 * CLASSES + hop.index()];
    }
  }

  synchronized void add(
      SeriesKey series, int flags, int broker, int tunnel, int agent, int system, int body) {
    long[] values = sums.computeIfAbsent(series, _ -> new long[2 * CLASSES + Hop.COUNT]);
    boolean failed = (flags & LoopRecorder.FAILED) != 0;
    values[(failed ? CLASSES : 0) + LoopRecorder.statusClass(flags)]++;
    if (!failed) {
      values[2 * CLASSES + Hop.BROKER.index()] += broker;
      values[2 * CLASSES + Hop.TUNNEL.index()] += tunnel;
      values[2 * CLASSES + Hop.AGENT.index()] += agent;
      values[2 * CLASSES + Hop.SYSTEM.index()] += system;
      values[2 * CLASSES + Hop.BODY.index()] += body;
    }
  }

  synchronized void forget(SeriesKey series) {
    sums.remove(series);
  }

  /// By `agent="…",system="…"`.
  public synchronized Map<String, Sums> byLabels() {
    var all = new TreeMap<String, Sums>();
    sums.forEach(
        (series, values) ->
            all.put(
                "agent=\"" + series.agent() + "\",system=\"" + series.system() + "\"",
                new Sums(values.clone())));
    return all;
  }
}
