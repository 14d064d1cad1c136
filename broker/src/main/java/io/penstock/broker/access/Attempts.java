package io.penstock.broker.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.penstock.codec.seal.Octets;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/// Failed attempts per key within a window that begins with the first one. Holds at most 50,000
/// keys, of a bounded length; beyond, the least used are forgotten. Thread-safe.
final class Attempts {
  private static final int MAX_KEYS = 50_000;
  private static final int MAX_CHARACTERS = 80;

  private final int limit;
  private final Duration window;
  private final Cache<String, AtomicInteger> failures;

  Attempts(int limit, Duration window) {
    this.limit = limit;
    this.window = window;
    failures = Caffeine.newBuilder().maximumSize(MAX_KEYS).expireAfterWrite(window).build();
  }

  /// Seconds to wait when the limit is reached.
  OptionalInt blockedSeconds(String key) {
    AtomicInteger count = failures.getIfPresent(bounded(key));
    return count != null && count.get() >= limit
        ? OptionalInt.of((int) Math.max(1, window.toSeconds()))
        : OptionalInt.empty();
  }

  void failed(String key) {
    failures.get(bounded(key), _ -> new AtomicInteger()).incrementAndGet();
  }

  void succeeded(String key) {
    failures.invalidate(bounded(key));
  }

  /// Strangers choose these texts.
  private static String bounded(String key) {
    return key.length() <= MAX_CHARACTERS
        ? key
        : Octets.sha256(key.getBytes(StandardCharsets.UTF_8)).base64Url();
  }
}
