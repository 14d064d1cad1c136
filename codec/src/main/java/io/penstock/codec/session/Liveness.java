package io.penstock.codec.session;

import io.penstock.codec.Protocol;
import java.util.concurrent.TimeUnit;

/// Whether the peer is there (`docs/protocol.md`, section 8). Only what was *received* counts: our
/// own writes into a dead connection prove nothing.
/// The session says what happened, and asks [#check] every [Protocol#TICK_MS].
final class Liveness {
  /// What is due.
  enum Verdict {
    ALIVE,
    PING,
    DEAD
  }

  private static final long PING_AFTER_NANOS =
      TimeUnit.MILLISECONDS.toNanos(Protocol.PING_AFTER_MS);

  /// At the last look before the limit passes, so that no dead session is believed beyond it.
  private static final long DEAD_AFTER_NANOS =
      TimeUnit.MILLISECONDS.toNanos(Protocol.DEAD_AFTER_MS - Protocol.TICK_MS);

  private long lastReceivedNanos;
  private long lastPingNanos;
  private boolean pingUnderWay;

  Liveness(long nowNanos) {
    lastReceivedNanos = nowNanos;
  }

  void recordReceived(long nowNanos) {
    lastReceivedNanos = nowNanos;
  }

  void pingSent(long nowNanos) {
    lastPingNanos = nowNanos;
    pingUnderWay = true;
  }

  /// Round trip in nanoseconds, or -1 when this answers no PING of ours.
  long pongReceived(long opaque, long nowNanos) {
    if (!pingUnderWay || opaque != lastPingNanos) {
      return -1;
    }
    pingUnderWay = false;
    return nowNanos - opaque;
  }

  Verdict check(long nowNanos) {
    long silence = nowNanos - lastReceivedNanos;
    if (silence >= DEAD_AFTER_NANOS) {
      return Verdict.DEAD;
    }
    boolean pingDue = silence >= PING_AFTER_NANOS && nowNanos - lastPingNanos >= PING_AFTER_NANOS;
    return pingDue || (silence >= PING_AFTER_NANOS && !pingUnderWay) ? Verdict.PING : Verdict.ALIVE;
  }
}
