package io.penstock.broker.routing;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Calls that wait for a site to change: at most 1,024 in all; one more does not wait. Thread-safe.
final class Waiters {
  private static final int LIMIT = 1_024;

  /// One call; equal to itself only.
  private static final class Waiter {
    final CompletableFuture<Void> changed = new CompletableFuture<>();
  }

  private final ConcurrentHashMap<String, Set<Waiter>> bySite = new ConcurrentHashMap<>();
  private final AtomicInteger waiting = new AtomicInteger();

  CompletionStage<Void> await(String site, Duration within) {
    if (waiting.incrementAndGet() > LIMIT) {
      waiting.decrementAndGet();
      return CompletableFuture.completedStage(null);
    }
    var waiter = new Waiter();
    bySite.compute(site, (_, those) -> with(those, waiter));
    return waiter
        .changed
        .completeOnTimeout(null, within.toNanos(), TimeUnit.NANOSECONDS)
        .whenComplete((_, _) -> forget(site, waiter));
  }

  private static Set<Waiter> with(@Nullable Set<Waiter> those, Waiter waiter) {
    Set<Waiter> all = those == null ? ConcurrentHashMap.newKeySet() : those;
    all.add(waiter);
    return all;
  }

  private void forget(String site, Waiter waiter) {
    waiting.decrementAndGet();
    bySite.computeIfPresent(
        site,
        (_, those) -> {
          those.remove(waiter);
          return those.isEmpty() ? null : those;
        });
  }

  void changed(String site) {
    Set<Waiter> those = bySite.get(site);
    if (those != null) {
      those.forEach(waiter -> waiter.changed.complete(null));
    }
  }
}
