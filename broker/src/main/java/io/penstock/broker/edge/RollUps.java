package io.penstock.broker.edge;

import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// Counts invocations per caller, system, verdict and minute, in memory, and hands whole minutes on
/// (contract, "Invocations are audited as roll-ups"). Thread-safe; a call never waits for whoever
/// stores them.
///
/// At most [#MAX_KEYS] are kept; what comes beyond is counted under the caller, site and system
/// `other`, so that nothing is lost but names.
public final class RollUps implements InvocationObserver {
  static final int MAX_KEYS = 10_000;
  static final String OTHER = "other";

  private record Key(long minute, String caller, String site, String system, String verdict) {
    Key withoutNames() {
      return new Key(minute, OTHER, OTHER, OTHER, verdict);
    }
  }

  private record Sums(long count, long bytesIn, long bytesOut, long totalMicros, long maxMicros) {
    Sums plus(Sums more) {
      return new Sums(
          count + more.count,
          bytesIn + more.bytesIn,
          bytesOut + more.bytesOut,
          totalMicros + more.totalMicros,
          Math.max(maxMicros, more.maxMicros));
    }
  }

  private final InstantSource clock;
  private final Consumer<List<RollUp>> keeper;
  private final ConcurrentHashMap<Key, Sums> sums = new ConcurrentHashMap<>();

  /// @param keeper gets finished minutes on the thread that calls [#flush]
  public RollUps(InstantSource clock, Consumer<List<RollUp>> keeper) {
    this.clock = clock;
    this.keeper = keeper;
  }

  @Override
  public void ended(InvocationRecord it) {
    long minute = minuteOf(clock.instant());
    var key = new Key(minute, it.caller(), it.site(), it.system(), it.verdict());
    long micros = it.hops().total();
    var one = new Sums(1, it.bytesIn(), it.bytesOut(), micros, micros);
    boolean room = sums.mappingCount() < MAX_KEYS || sums.containsKey(key);
    sums.merge(room ? key : key.withoutNames(), one, Sums::plus);
  }

  /// Hands on every minute that is over. Called by a timer, off the event loops.
  public void flush() {
    take(minuteOf(clock.instant()));
  }

  /// Hands on everything: the broker stops.
  public void flushAll() {
    take(Long.MAX_VALUE);
  }

  private void take(long beforeMinute) {
    var finished = new ArrayList<RollUp>();
    for (Key key : sums.keySet()) {
      if (key.minute < beforeMinute) {
        Sums taken = sums.remove(key);
        if (taken != null) {
          finished.add(rollUp(key, taken));
        }
      }
    }
    if (!finished.isEmpty()) {
      keeper.accept(finished);
    }
  }

  private static RollUp rollUp(Key key, Sums of) {
    return new RollUp(
        Instant.EPOCH.plus(key.minute, ChronoUnit.MINUTES),
        key.caller,
        key.site,
        key.system,
        key.verdict,
        of.count,
        of.bytesIn,
        of.bytesOut,
        of.totalMicros,
        of.maxMicros);
  }

  private static long minuteOf(Instant instant) {
    return Math.floorDiv(instant.getEpochSecond(), 60L);
  }
}
