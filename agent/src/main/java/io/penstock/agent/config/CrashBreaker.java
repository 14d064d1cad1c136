package io.penstock.agent.config;

import java.time.Duration;
import java.util.ArrayDeque;

/// Takes a system out of service whose instance fails again and again, for a pause that doubles
/// each time. Time is passed in. One owner.
final class CrashBreaker {
  static final int FAILURES = 5;
  static final Duration WITHIN = Duration.ofSeconds(60);
  static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  private final ArrayDeque<Long> failures = new ArrayDeque<>(FAILURES);
  private Duration nextPause = FIRST_PAUSE;
  private long resumedNanos;
  private boolean resumed;

  /// True when it is one too many.
  boolean failed(long nowNanos) {
    failures.addLast(nowNanos);
    while (failures.size() > FAILURES || nowNanos - failures.getFirst() > WITHIN.toNanos()) {
      failures.removeFirst();
    }
    return failures.size() == FAILURES;
  }

  /// How long the pause is that begins now.
  Duration pause(long nowNanos) {
    failures.clear();
    if (resumed && nowNanos - resumedNanos > 2 * LONGEST_PAUSE.toNanos()) {
      nextPause = FIRST_PAUSE;
    }
    Duration pause = nextPause;
    Duration doubled = pause.multipliedBy(2);
    nextPause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    return pause;
  }

  void resumed(long nowNanos) {
    resumed = true;
    resumedNanos = nowNanos;
  }
}
