package io.penstock.agent.plugin.http;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The one timer of a system's calls. A call whose limit moves only writes a field; the timer looks
/// at all of them when the earliest limit that it knew of has come, which under load is seldom.
/// On the event loop.
final class DeadlineSweep implements Runnable {
  static final long NEVER = Long.MAX_VALUE;

  private final EventLoop loop;
  private final long startNanos = System.nanoTime();
  private final ArrayList<HttpExchange> watched = new ArrayList<>();
  private @Nullable ScheduledFuture<?> timer;
  private long timerNanos = NEVER;

  DeadlineSweep(EventLoop loop) {
    this.loop = loop;
  }

  /// Nanoseconds since this system was started; monotonic, never negative.
  long nowNanos() {
    return System.nanoTime() - startNanos;
  }

  void watch(HttpExchange exchange) {
    exchange.watchIndex = watched.size();
    watched.add(exchange);
    expect(exchange.deadlineNanos());
  }

  void forget(HttpExchange exchange) {
    int index = exchange.watchIndex;
    if (index < 0) {
      return;
    }
    HttpExchange last = watched.removeLast();
    if (last != exchange) {
      watched.set(index, last);
      last.watchIndex = index;
    }
    exchange.watchIndex = -1;
  }

  /// A limit may come as early as this; later ones need not be told.
  void expect(long deadlineNanos) {
    if (deadlineNanos >= timerNanos) {
      return;
    }
    if (timer != null) {
      timer.cancel(false);
    }
    timerNanos = deadlineNanos;
    timer = loop.schedule(this, Math.max(0, deadlineNanos - nowNanos()), TimeUnit.NANOSECONDS);
  }

  @Override
  public void run() {
    timer = null;
    timerNanos = NEVER;
    long now = nowNanos();
    long earliest = NEVER;
    // Backwards, because a call that is over leaves the list: its place is taken by a later one,
    // which was looked at.
    for (int i = watched.size() - 1; i >= 0; i--) {
      if (i >= watched.size()) {
        continue;
      }
      HttpExchange exchange = watched.get(i);
      if (exchange.deadlineNanos() <= now) {
        exchange.deadlinePassed(now);
      } else {
        earliest = Math.min(earliest, exchange.deadlineNanos());
      }
    }
    expect(earliest);
  }
}
