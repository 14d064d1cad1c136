package io.penstock.broker.edge;

import io.netty.channel.EventLoop;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The one timer of a connection. It is not moved when bytes move or the next call begins: it goes
/// off at the earliest time that was ever asked for, looks, and is set again.
final class DeadlineTimer {
  private final EventLoop loop;
  private final LongSupplier nanoTime;
  private final Runnable look;

  private @Nullable Future<?> pending;
  private long pendingAtNanos;

  DeadlineTimer(EventLoop loop, LongSupplier nanoTime, Runnable look) {
    this.loop = loop;
    this.nanoTime = nanoTime;
    this.look = look;
  }

  /// Looks in `leftNanos` at the latest.
  void within(long leftNanos) {
    if (leftNanos == Long.MAX_VALUE) {
      return;
    }
    long atNanos = nanoTime.getAsLong() + leftNanos;
    if (pending != null) {
      if (pendingAtNanos - atNanos <= 0) {
        return;
      }
      pending.cancel(false);
    }
    pendingAtNanos = atNanos;
    pending = loop.schedule(this::fire, leftNanos, TimeUnit.NANOSECONDS);
  }

  void stop() {
    if (pending != null) {
      pending.cancel(false);
      pending = null;
    }
  }

  private void fire() {
    pending = null;
    look.run();
  }
}
