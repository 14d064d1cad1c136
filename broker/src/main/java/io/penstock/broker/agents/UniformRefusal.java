package io.penstock.broker.agents;

import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.session.Clock;
import java.time.Duration;

/// Every refused enrollment takes the same time and says the same (`docs/protocol.md`, section 2):
/// neither tells a stranger whether a token exists, was used, or is meant for another place.
final class UniformRefusal {
  static final Duration AFTER = Duration.ofMillis(300);

  private final Clock clock;
  private final Pauses pauses;

  UniformRefusal(Clock clock, Pauses pauses) {
    this.clock = clock;
    this.pauses = pauses;
  }

  /// Taken when message 3 arrived.
  long begin() {
    return clock.nanoTime();
  }

  void await(long begunNanos) {
    Duration left = AFTER.minusNanos(clock.nanoTime() - begunNanos);
    if (left.isPositive()) {
      pauses.pause(left);
    }
  }

  TunnelRefused after(long begunNanos) {
    await(begunNanos);
    return denied();
  }

  static TunnelRefused denied() {
    return new TunnelRefused(ErrorCode.ENROLL_DENIED, 0, "enrollment denied");
  }
}
