package io.penstock.broker.tunnel;

import io.penstock.codec.session.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that only moves when it is told to. Thread-safe.
final class ManualClock implements Clock {
  private static final long START_MS = 1_800_000_000_000L;

  private final AtomicLong nanos = new AtomicLong();

  void advance(Duration by) {
    nanos.addAndGet(by.toNanos());
  }

  @Override
  public long nanoTime() {
    return nanos.get();
  }

  @Override
  public long wallClockMs() {
    return START_MS + nanos.get() / 1_000_000;
  }
}
