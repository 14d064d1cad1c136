package io.penstock.agent.config;

import java.time.Duration;
import java.util.Optional;

/// The owner's choice: an agent that was cut off, or carried away, forgets what it had in memory.
/// Time is passed in. One owner.
final class Forgetting {
  private final Optional<Duration> after;
  private boolean everAdmitted;
  private boolean alone;
  private long aloneSinceNanos;
  private boolean forgotten;

  /// @param after empty = never
  Forgetting(Optional<Duration> after) {
    this.after = after;
  }

  void admitted() {
    everAdmitted = true;
    alone = false;
    forgotten = false;
  }

  /// Whether it has to be asked often.
  boolean isCounting() {
    return after.isPresent() && alone && !forgotten;
  }

  /// True once, when nobody was there for so long. The time counts from when that is first seen.
  boolean isDue(boolean hasLine, long nowNanos) {
    if (after.isEmpty() || !everAdmitted || hasLine) {
      alone = false;
      return false;
    }
    if (!alone) {
      alone = true;
      aloneSinceNanos = nowNanos;
    }
    if (forgotten || nowNanos - aloneSinceNanos < after.get().toNanos()) {
      return false;
    }
    forgotten = true;
    return true;
  }
}
