package io.penstock.broker.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.function.LongSupplier;

/// So many a second for each key, and some seconds' worth at once. Holds at most 100,000 keys;
/// beyond, the least used begin anew. Thread-safe, never blocks.
final class TokenBuckets {
  private static final int BURST_SECONDS = 10;
  private static final Duration FORGOTTEN = Duration.ofSeconds(2 * BURST_SECONDS);
  private static final int MAX_KEYS = 100_000;
  private static final double NANOS = 1e9;

  private final int perSecond;
  private final double burst;
  private final LongSupplier nanoTime;
  private final Cache<String, Bucket> buckets =
      Caffeine.newBuilder().maximumSize(MAX_KEYS).expireAfterAccess(FORGOTTEN).build();

  /// Ten seconds' worth at once.
  ///
  /// @param perSecond 0 = no limit
  TokenBuckets(int perSecond, LongSupplier nanoTime) {
    this(perSecond, (double) perSecond * BURST_SECONDS, nanoTime);
  }

  /// @param burst how many may come at once, of at most ten seconds
  TokenBuckets(int perSecond, double burst, LongSupplier nanoTime) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.nanoTime = nanoTime;
  }

  /// Takes one. 0 = go on, otherwise the seconds after which trying again is worth it.
  int secondsToWait(String key) {
    return perSecond == 0 ? 0 : buckets.get(key, _ -> new Bucket()).take();
  }

  private final class Bucket {
    private double left = burst;
    private long at = nanoTime.getAsLong();

    synchronized int take() {
      long now = nanoTime.getAsLong();
      left = Math.min(burst, left + (now - at) / NANOS * perSecond);
      at = now;
      if (left < 1) {
        return (int) Math.max(1, Math.ceil((1 - left) / perSecond));
      }
      left--;
      return 0;
    }
  }
}
