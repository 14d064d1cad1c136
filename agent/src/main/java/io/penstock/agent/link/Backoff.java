package io.penstock.agent.link;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// When to dial again: full jitter (a random time up to a ceiling that doubles) from 0.2 s to 30 s,
/// so that a fleet does not come back at once. For the first half minute after a session was lost
/// the ceiling stays at a second: a broker that restarts is back within seconds, and its refusals
/// until then cost nobody much. What the broker asks for wins. One owner.
final class Backoff {
  static final Duration FIRST = Duration.ofMillis(200);
  static final Duration LONGEST = Duration.ofSeconds(30);

  /// A session that lived this long was a success; a shorter one counts as a failed dial.
  static final Duration LIVED = Duration.ofSeconds(1);

  static final Duration EAGER_FOR = Duration.ofSeconds(30);
  static final Duration EAGER_LONGEST = Duration.ofSeconds(1);

  private final RandomGenerator random;
  private long ceilingMs = FIRST.toMillis();
  private boolean eager;
  private long lostNanos;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  Duration next(LinkFailure failure, long nowNanos) {
    Duration ours = Duration.ofMillis(random.nextLong(ceilingMs + 1));
    eager = eager && nowNanos - lostNanos < EAGER_FOR.toNanos();
    ceilingMs = Math.min(2 * ceilingMs, (eager ? EAGER_LONGEST : LONGEST).toMillis());
    return failure.retryAfter().orElse(ours);
  }

  void sessionEnded(Duration lived, long nowNanos) {
    if (lived.compareTo(LIVED) >= 0) {
      ceilingMs = FIRST.toMillis();
      eager = true;
      lostNanos = nowNanos;
    }
  }
}
