package io.penstock.agent.config;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;

/// When what failed is tried again: after a pause that doubles from two seconds to a limit, and
/// that is shortened by up to half at random, so that a fleet does not come at once. Time is passed
/// in. One owner.
final class Retries {
  static final Duration FIRST = Duration.ofSeconds(2);

  /// For what the agent's surroundings have to change.
  static final Duration LONGEST = Duration.ofMinutes(5);

  /// For a document that the broker could not hand out.
  static final Duration LONGEST_OF_A_FETCH = Duration.ofSeconds(30);

  /// @param armed false: it was due, and what came of it is not told yet
  private record Retry(boolean armed, long dueNanos, Duration pause) {}

  private final RandomGenerator random;
  private final Map<String, Retry> retries = new HashMap<>();

  Retries(RandomGenerator random) {
    this.random = random;
  }

  void later(String system, long nowNanos, Duration longest) {
    Retry before = retries.get(system);
    Duration pause = before == null ? FIRST : before.pause().multipliedBy(2);
    if (pause.compareTo(FIRST) < 0) {
      pause = FIRST;
    }
    if (pause.compareTo(longest) > 0) {
      pause = longest;
    }
    long half = pause.toNanos() / 2;
    retries.put(system, new Retry(true, nowNanos + half + random.nextLong(half + 1), pause));
  }

  /// Once, after exactly this time.
  void at(String system, long nowNanos, Duration pause) {
    retries.put(system, new Retry(true, nowNanos + pause.toNanos(), Duration.ZERO));
  }

  void done(String system) {
    retries.remove(system);
  }

  void clear() {
    retries.clear();
  }

  /// Whether it waits, or is being tried.
  boolean isKnown(String system) {
    return retries.containsKey(system);
  }

  /// Whether this one's time has not come yet.
  boolean isPausing(String system, long nowNanos) {
    Retry retry = retries.get(system);
    return retry != null && retry.armed() && retry.dueNanos() - nowNanos > 0;
  }

  /// Those whose time has come; each is told once.
  List<String> due(long nowNanos) {
    List<String> due =
        retries.entrySet().stream()
            .filter(it -> it.getValue().armed() && it.getValue().dueNanos() - nowNanos <= 0)
            .map(Map.Entry::getKey)
            .toList();
    due.forEach(
        system ->
            retries.computeIfPresent(
                system, (_, it) -> new Retry(false, it.dueNanos(), it.pause())));
    return due;
  }

  /// Nanoseconds until the next is due; empty = none waits.
  OptionalLong next(long nowNanos) {
    return retries.values().stream()
        .filter(Retry::armed)
        .mapToLong(it -> it.dueNanos() - nowNanos)
        .min();
  }
}
