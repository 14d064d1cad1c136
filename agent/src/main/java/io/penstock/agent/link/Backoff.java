package io.penstock.agent.link;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// When to dial again: full jitter (a random time up to a ceiling that doubles) from 0.2 s to 30 s,
/// so that a fleet does not come back at once. For the first half minute after a session was lost
/// it doubles to half a second only, and then grows with the time that the broker is away, to a
/// quarter of it and a second at most: a broker that restarts is back within seconds, the line to
/// it is down no more than a little longer than the broker is, and a fleet's dials become fewer the
/// longer it takes. What the broker asks for wins, and up to half as much again, as it asks many
/// agents at the same moment. One owner.
final class Backoff {
  static final Duration FIRST = Duration.ofMillis(200);
  static final Duration LONGEST = Duration.ofSeconds(30);

  /// A session that lived this long was a success; a shorter one counts as a failed dial.
  static final Duration LIVED = Duration.ofSeconds(1);

  static final Duration EAGER_FOR = Duration.ofSeconds(30);
  static final Duration EAGER_LONGEST = Duration.ofSeconds(1);

  /// Where doubling ends, and the part of the time away takes over as soon as it is more.
  static final Duration EAGER_DOUBLED = Duration.ofMillis(500);

  private static final int EAGER_PART = 4;

  private final RandomGenerator random;
  private long ceilingMs = FIRST.toMillis();
  private boolean eager;
  private long lostNanos;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  Duration next(LinkFailure failure, long nowNanos) {
    eager = eager && nowNanos - lostNanos < EAGER_FOR.toNanos();
    long boundMs = eager ? eagerCeilingMs(nowNanos) : ceilingMs;
    long ourMs = random.nextLong(boundMs + 1);
    ceilingMs = Math.min(2 * boundMs, LONGEST.toMillis());
    return failure.retryAfter().map(this::spread).orElse(Duration.ofMillis(ourMs));
  }

  private Duration spread(Duration asked) {
    return asked.plusMillis(random.nextLong(asked.toMillis() / 2 + 1));
  }

  private long eagerCeilingMs(long nowNanos) {
    long awayMs = Duration.ofNanos(nowNanos - lostNanos).toMillis();
    long doubledMs = Math.min(ceilingMs, EAGER_DOUBLED.toMillis());
    return Math.clamp(awayMs / EAGER_PART, doubledMs, EAGER_LONGEST.toMillis());
  }

  void sessionEnded(Duration lived, long nowNanos) {
    if (lived.compareTo(LIVED) >= 0) {
      ceilingMs = FIRST.toMillis();
      eager = true;
      lostNanos = nowNanos;
    }
  }
}
