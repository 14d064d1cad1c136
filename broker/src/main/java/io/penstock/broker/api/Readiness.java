package io.penstock.broker.api;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Whether the database answers, for strangers who ask as often as they like: one question at a
/// time, and its answer holds for a second. Meanwhile the one before does, if it is not three
/// seconds old. Thread-safe; blocks.
final class Readiness {
  private static final long FRESH_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long STALE_NANOS = Duration.ofSeconds(3).toNanos();

  private final BooleanSupplier database;
  private final LongSupplier nanoTime;
  private final AtomicReference<@Nullable CompletableFuture<Boolean>> asking =
      new AtomicReference<>();
  private volatile @Nullable Answered last;

  private record Answered(boolean ready, long atNanos) {}

  /// @param database asks it, for a bounded time
  Readiness(BooleanSupplier database, LongSupplier nanoTime) {
    this.database = database;
    this.nanoTime = nanoTime;
  }

  boolean isReady() {
    Answered known = last;
    long age = known == null ? Long.MAX_VALUE : nanoTime.getAsLong() - known.atNanos();
    if (known != null && age < FRESH_NANOS) {
      return known.ready();
    }
    var mine = new CompletableFuture<Boolean>();
    CompletableFuture<Boolean> others = asking.compareAndExchange(null, mine);
    if (others == null) {
      return asked(mine);
    }
    return (known != null && age < STALE_NANOS) ? known.ready() : others.join();
  }

  private boolean asked(CompletableFuture<Boolean> mine) {
    boolean ready = false;
    try {
      ready = database.getAsBoolean();
      last = new Answered(ready, nanoTime.getAsLong());
    } finally {
      asking.set(null);
      mine.complete(ready);
    }
    return ready;
  }
}
