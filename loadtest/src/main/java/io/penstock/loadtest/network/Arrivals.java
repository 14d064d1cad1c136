package io.penstock.loadtest.network;

import java.time.Duration;
import java.util.SplittableRandom;

/// When what enters one direction of a line comes out: arithmetic without a clock. Arrivals never
/// go backwards, also when the line changes on the way.
final class Arrivals {
  private final SplittableRandom random;
  private Network known = Network.NONE;
  private long lineFree = Long.MIN_VALUE;
  private long last = Long.MIN_VALUE;
  private long nextStall;

  Arrivals(SplittableRandom random) {
    this.random = random;
  }

  /// @param sentNanos never decreasing
  long arrivalNanos(Network line, long sentNanos, int bytes) {
    if (!line.equals(known)) {
      known = line;
      nextStall = sentNanos + gap(line.stallEvery());
    }
    long leaves = Math.max(sentNanos, lineFree);
    if (line.bytesPerSecond() > 0) {
      leaves += Math.round(bytes * 1e9 / line.bytesPerSecond());
    }
    lineFree = leaves;
    long arrives = leaves + line.delay().toNanos() / 2;
    if (!line.jitter().isZero()) {
      arrives += random.nextLong(line.jitter().toNanos() + 1);
    }
    last = afterStalls(line, Math.max(arrives, last));
    return last;
  }

  private long afterStalls(Network line, long arrives) {
    if (line.stall().isZero()) {
      return arrives;
    }
    long at = arrives;
    while (nextStall <= at) {
      long over = nextStall + line.stall().toNanos();
      at = Math.max(at, over);
      nextStall = over + gap(line.stallEvery());
    }
    return at;
  }

  /// Until the next of events that come at random: exponentially distributed.
  private long gap(Duration mean) {
    return gap(random, mean);
  }

  static long gap(SplittableRandom random, Duration mean) {
    return Math.round(-Math.log(1 - random.nextDouble()) * mean.toNanos());
  }
}
