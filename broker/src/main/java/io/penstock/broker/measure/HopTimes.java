package io.penstock.broker.measure;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/// The times of all hops of many calls. Belongs to one thread.
public final class HopTimes {
  /// Five hops and a total, each cut to whole microseconds.
  static final double ROUNDING_MS = 0.006;

  private final Map<Hop, Times> times = new EnumMap<>(Hop.class);
  private long calls;
  private long errors;
  private long excessMicros;

  void record(int flags, int broker, int tunnel, int agent, int system, int body, int total) {
    calls++;
    if ((flags & LoopRecorder.ERROR) != 0 || (flags & LoopRecorder.FAILED) != 0) {
      errors++;
    }
    if ((flags & LoopRecorder.FAILED) != 0) {
      to(Hop.FAILED).record(total);
      return;
    }
    to(Hop.BROKER).record(broker);
    to(Hop.TUNNEL).record(tunnel);
    to(Hop.AGENT).record(agent);
    to(Hop.SYSTEM).record(system);
    to(Hop.BODY).record(body);
    to(Hop.TOTAL).record(total);
    excessMicros += Math.max(0, (long) broker + tunnel + agent + system + body - total);
  }

  void add(HopTimes more) {
    calls += more.calls;
    errors += more.errors;
    excessMicros += more.excessMicros;
    more.times.forEach((hop, times) -> to(hop).add(times));
  }

  /// @param wanted the hops whose times are asked for; those of the others stay as they are
  void add(HopRow row, Set<Hop> wanted) {
    calls += row.calls();
    errors += row.errors();
    excessMicros += row.excessMicros();
    row.encoded()
        .forEach(
            (hop, encoded) -> {
              if (wanted.contains(hop)) {
                to(hop).add(encoded);
              }
            });
  }

  void reset() {
    calls = 0;
    errors = 0;
    excessMicros = 0;
    times.values().forEach(Times::reset);
  }

  /// Those that are here; of a hop that no call had, none.
  public Times of(Hop hop) {
    Times found = times.get(hop);
    return found == null ? Times.none() : found;
  }

  private Times to(Hop hop) {
    return times.computeIfAbsent(hop, _ -> new Times());
  }

  /// All that began, answered or not.
  public long calls() {
    return calls;
  }

  /// Those without an answer of a system.
  public long failed() {
    return of(Hop.FAILED).count();
  }

  /// Those without an answer, and answers of status 5xx.
  public long errors() {
    return errors;
  }

  public boolean isEmpty() {
    return calls == 0;
  }

  /// How far the hops of one call may be from its total, on the average: rounding to microseconds,
  /// and what agents claimed beyond the time that there was.
  public double errorMs() {
    long answered = calls - failed();
    return ROUNDING_MS + (answered == 0 ? 0 : excessMicros / 1_000.0 / answered);
  }

  HopRow encoded(SeriesKey series) {
    var encoded = new EnumMap<Hop, Times.Encoded>(Hop.class);
    times.forEach(
        (hop, of) -> {
          if (!of.isEmpty()) {
            encoded.put(hop, of.encoded());
          }
        });
    return new HopRow(series, calls, errors, excessMicros, encoded);
  }
}
