package io.penstock.loadtest.target;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Counts what reached the system, so that a test can prove that a request came once, or never.
public final class Visits {
  private static final int MOST_KEYS = 10_000;

  private final AtomicLong requests = new AtomicLong();
  private final Map<String, AtomicLong> touched = new ConcurrentHashMap<>();

  Visits() {}

  void request() {
    requests.incrementAndGet();
  }

  long touch(String key) {
    if (touched.size() >= MOST_KEYS && !touched.containsKey(key)) {
      return -1;
    }
    return touched.computeIfAbsent(key, _ -> new AtomicLong()).incrementAndGet();
  }

  /// All requests whose head was read.
  public long requests() {
    return requests.get();
  }

  /// The requests to `/touch/{key}`.
  public long touched(String key) {
    AtomicLong count = touched.get(key);
    return count == null ? 0 : count.get();
  }
}
