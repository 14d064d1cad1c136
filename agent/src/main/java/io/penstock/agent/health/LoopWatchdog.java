package io.penstock.agent.health;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Notices an event loop that is stuck, and logs where. A thread of its own, because the one it
/// watches cannot.
final class LoopWatchdog implements Runnable {
  static final Duration STUCK_AFTER = Duration.ofSeconds(2);
  private static final Duration EVERY = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(LoopWatchdog.class);

  private final Executor loop;
  private final Duration stuckAfter;
  private final AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
  private volatile long lagNanos;

  LoopWatchdog(Executor loop, Duration stuckAfter) {
    this.loop = loop;
    this.stuckAfter = stuckAfter;
  }

  @Override
  public void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        check();
        Thread.sleep(EVERY);
      }
    } catch (InterruptedException _) {
      // The process ends.
    }
  }

  /// How long the last task waited for the loop.
  long lagNanos() {
    return lagNanos;
  }

  private void check() throws InterruptedException {
    var alive = new CountDownLatch(1);
    long asked = System.nanoTime();
    loop.execute(
        () -> {
          lagNanos = System.nanoTime() - asked;
          thread.set(Thread.currentThread());
          alive.countDown();
        });
    if (!alive.await(stuckAfter.toMillis(), TimeUnit.MILLISECONDS)) {
      LOG.warn("the event loop is stuck for {} ms at\n{}", stuckAfter.toMillis(), stack());
      alive.await();
    }
  }

  private String stack() {
    Thread stuck = thread.get();
    return stuck == null
        ? "(it never ran)"
        : Arrays.stream(stuck.getStackTrace())
            .map(frame -> "  " + frame)
            .collect(Collectors.joining("\n"));
  }
}
