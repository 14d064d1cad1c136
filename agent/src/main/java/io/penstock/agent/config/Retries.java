package io.penstock.agent.config;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// When what failed is tried again: after a pause that doubles from two seconds to five minutes.
/// Time is passed in. One owner.
final class Retries {
  static final Duration FIRST = Duration.ofSeconds(2);
  static final Duration LONGEST = Duration.ofMinutes(5);

  private record Retry(long dueNanos, Duration pause) {}

  private final Map<String, Retry> retries = new HashMap<>();

  void later(String system, long nowNanos) {
    Retry before = retries.get(system);
    Duration pause = FIRST;
    if (before != null) {
      Duration doubled = before.pause().multipliedBy(2);
      pause = doubled.compareTo(LONGEST) < 0 ? doubled : LONGEST;
    }
    at(system, nowNanos, pause);
  }

  void at(String system, long nowNanos, Duration pause) {
    retries.put(system, new Retry(nowNanos + pause.toNanos(), pause));
  }

  void done(String system) {
    retries.remove(system);
  }

  void clear() {
    retries.clear();
  }

  /// Whether this one's time has not come yet.
  boolean isPausing(String system, long nowNanos) {
    Retry retry = retries.get(system);
    return retry != null && retry.dueNanos() - nowNanos > 0;
  }

  List<String> due(long nowNanos) {
    return retries.entrySet().stream()
        .filter(it -> it.getValue().dueNanos() - nowNanos <= 0)
        .map(Map.Entry::getKey)
        .toList();
  }

  /// Nanoseconds until the next is due; empty = none waits.
  OptionalLong next(long nowNanos) {
    return retries.values().stream().mapToLong(it -> it.dueNanos() - nowNanos).min();
  }
}
