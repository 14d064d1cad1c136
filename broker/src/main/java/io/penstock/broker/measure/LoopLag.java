package io.penstock.broker.measure;

import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// How long something that is ready waits for its event loop: asked once a second of every loop. A
/// loop that has not answered yet is as late as it has kept us waiting.
public final class LoopLag {
  private static final int SECONDS = 60;

  private final List<Loop> loops = new ArrayList<>();
  private final LongSupplier nanoTime;

  /// @param lagMs the last answer
  /// @param maxLagMs the worst of the last minute
  public record Lag(String loop, double lagMs, double maxLagMs) {}

  private static final class Loop {
    private final String name;
    private final EventExecutor executor;
    private final AtomicLong askedNanos = new AtomicLong();
    private final AtomicLong lagNanos = new AtomicLong();
    private final long[] worst = new long[SECONDS];
    private int at;

    Loop(String name, EventExecutor executor) {
      this.name = name;
      this.executor = executor;
    }
  }

  LoopLag(Iterable<EventExecutor> executors, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    for (EventExecutor executor : executors) {
      loops.add(new Loop("loop-" + loops.size(), executor));
    }
  }

  /// Once a second, by one thread.
  void ask() {
    for (Loop loop : loops) {
      long now = nanoTime.getAsLong();
      long asked = loop.askedNanos.get();
      synchronized (loop) {
        loop.at = (loop.at + 1) % SECONDS;
        loop.worst[loop.at] = Math.max(loop.lagNanos.get(), asked == 0 ? 0 : now - asked);
      }
      if (asked == 0) {
        loop.askedNanos.set(now == 0 ? 1 : now);
        try {
          loop.executor.execute(() -> answer(loop));
        } catch (RejectedExecutionException _) {
          // It has ended, and the broker with it.
          loop.askedNanos.set(0);
        }
      }
    }
  }

  private void answer(Loop loop) {
    loop.lagNanos.set(nanoTime.getAsLong() - loop.askedNanos.get());
    loop.askedNanos.set(0);
  }

  public List<Lag> lags() {
    return loops.stream().map(this::lag).toList();
  }

  private Lag lag(Loop loop) {
    long asked = loop.askedNanos.get();
    long lag = Math.max(loop.lagNanos.get(), asked == 0 ? 0 : nanoTime.getAsLong() - asked);
    long worst = lag;
    synchronized (loop) {
      for (long one : loop.worst) {
        worst = Math.max(worst, one);
      }
    }
    return new Lag(loop.name, ms(lag), ms(worst));
  }

  private static double ms(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos) / 1_000.0;
  }
}
