package io.penstock.broker.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/// Failed attempts per key within a window that begins with the first one. Holds at most 100,000
/// keys; beyond, the least used are forgotten. Thread-safe.
final class Attempts {
  private final int limit;
  private final Duration window;
  private final Cache<String, AtomicInteger> failures;

  Attempts(int limit, Duration window) {
    this.limit = limit;
    this.window = window;
    failures = Caffeine.newBuilder().maximumSize(100_000).expireAfterWrite(window).build();
  }

  /// Seconds to wait when the limit is reached.
  OptionalInt blockedSeconds(String key) {
    AtomicInteger count = failures.getIfPresent(key);
    return count != null && count.get() >= limit
        ? OptionalInt.of((int) Math.max(1, window.toSeconds()))
        : OptionalInt.empty();
  }

  void failed(String key) {
    failures.get(key, _ -> new AtomicInteger()).incrementAndGet();
  }

  void succeeded(String key) {
    failures.invalidate(key);
  }

  /// Takes one [#failed] back.
  void undo(String key) {
    AtomicInteger count = failures.getIfPresent(key);
    if (count != null) {
      count.decrementAndGet();
    }
  }
}
