package io.penstock.agent.link;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// When to dial again: full jitter (a random time up to a ceiling that doubles) from 0.2 s to 30 s,
/// so that a fleet does not come back at once. What the broker asks for wins. One owner.
final class Backoff {
  static final Duration FIRST = Duration.ofMillis(200);
  static final Duration LONGEST = Duration.ofSeconds(30);

  /// A session that lived this long was a success.
  static final Duration LIVED = Duration.ofSeconds(10);

  private final RandomGenerator random;
  private long ceilingMs = FIRST.toMillis();

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  Duration next(LinkFailure failure) {
    Duration ours = Duration.ofMillis(random.nextLong(ceilingMs + 1));
    ceilingMs = Math.min(2 * ceilingMs, LONGEST.toMillis());
    return failure.retryAfter().orElse(ours);
  }

  void sessionLived(Duration howLong) {
    if (howLong.compareTo(LIVED) >= 0) {
      ceilingMs = FIRST.toMillis();
    }
  }
}
