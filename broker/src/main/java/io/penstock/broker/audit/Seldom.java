package io.penstock.broker.audit;

import java.time.Duration;
import java.util.function.LongSupplier;

/// Says yes once in a while at most, by a time that only goes forwards. Of one thread at a time.
final class Seldom {
  private final long everyNanos;
  private final LongSupplier nanoClock;
  private long last;
  private boolean first = true;

  Seldom(Duration every, LongSupplier nanoClock) {
    this.everyNanos = every.toNanos();
    this.nanoClock = nanoClock;
  }

  /// The first yes comes only when the time has passed since this was made, too.
  static Seldom afterAWhile(Duration every, LongSupplier nanoClock) {
    var seldom = new Seldom(every, nanoClock);
    seldom.mayNow();
    return seldom;
  }

  boolean mayNow() {
    long now = nanoClock.getAsLong();
    if (!first && now - last < everyNanos) {
      return false;
    }
    first = false;
    last = now;
    return true;
  }
}
