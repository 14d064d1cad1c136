package io.penstock.broker.edge;

import io.penstock.codec.Deadlines;
import java.util.concurrent.TimeUnit;

/// When one call has taken too long (contract, "Invocation"): arithmetic only, time is passed in.
///
/// The agent keeps the same limits closer to the system; these here hold even when it does not. A
/// caller that uploads for hours is not late while bytes move: the wait for the first byte counts
/// from the request's end.
final class ExchangeDeadlines {

  /// Which limit was passed.
  enum Limit {
    NONE(""),
    FIRST_BYTE("The system did not answer in time."),
    IDLE("Nothing moved for too long."),
    TOTAL("The call took longer than it may in all.");

    private final String detail;

    Limit(String detail) {
      this.detail = detail;
    }

    String detail() {
      return detail;
    }
  }

  private enum Phase {
    /// Until the stream is open; bounded like the wait for an answer.
    ADMISSION,
    UPLOAD,
    FIRST_BYTE,
    FLOW
  }

  private static final long NEVER = Long.MAX_VALUE;

  private final Deadlines limits;
  private final long arrivedNanos;
  private final long totalNanos;
  private final long firstByteNanos;
  private final long idleNanos;

  private Phase phase = Phase.ADMISSION;
  private boolean requestEnded;

  /// Since the call arrived; what the phase's limit counts from.
  private long sinceNanos;

  ExchangeDeadlines(Deadlines limits, long arrivedNanos) {
    this.limits = limits;
    this.arrivedNanos = arrivedNanos;
    totalNanos = nanos(limits.totalMs());
    idleNanos = nanos(limits.idleMs());
    firstByteNanos =
        limits.firstByteMs() == 0 ? NEVER : nanos((long) limits.connectMs() + limits.firstByteMs());
  }

  /// For OPEN: what is left of the total.
  Deadlines remaining(long nowNanos) {
    if (totalNanos == NEVER) {
      return limits;
    }
    long leftMs = TimeUnit.NANOSECONDS.toMillis(totalNanos - elapsed(nowNanos));
    return new Deadlines(
        limits.connectMs(), limits.firstByteMs(), limits.idleMs(), (int) Math.max(1, leftMs));
  }

  void opened(long nowNanos) {
    phase = requestEnded ? Phase.FIRST_BYTE : Phase.UPLOAD;
    sinceNanos = elapsed(nowNanos);
  }

  /// The stream is gone, another attempt follows.
  void reopening(long nowNanos) {
    phase = Phase.ADMISSION;
    sinceNanos = elapsed(nowNanos);
  }

  void requestEnded(long nowNanos) {
    requestEnded = true;
    if (phase == Phase.UPLOAD) {
      phase = Phase.FIRST_BYTE;
      sinceNanos = elapsed(nowNanos);
    }
  }

  void headArrived(long nowNanos) {
    phase = Phase.FLOW;
    sinceNanos = elapsed(nowNanos);
  }

  /// Bytes moved, in either direction.
  void moved(long nowNanos) {
    if (phase == Phase.UPLOAD || phase == Phase.FLOW) {
      sinceNanos = elapsed(nowNanos);
    }
  }

  Limit passed(long nowNanos) {
    long elapsed = elapsed(nowNanos);
    if (elapsed >= totalNanos) {
      return Limit.TOTAL;
    }
    if (elapsed < phaseEndNanos()) {
      return Limit.NONE;
    }
    return phase == Phase.UPLOAD || phase == Phase.FLOW ? Limit.IDLE : Limit.FIRST_BYTE;
  }

  /// Until the next limit, if nothing moves; [Long#MAX_VALUE] = there is none.
  long leftNanos(long nowNanos) {
    long endNanos = Math.min(totalNanos, phaseEndNanos());
    return endNanos == NEVER ? NEVER : Math.max(0, endNanos - elapsed(nowNanos));
  }

  private long phaseEndNanos() {
    long limitNanos =
        switch (phase) {
          case ADMISSION, FIRST_BYTE -> firstByteNanos;
          case UPLOAD, FLOW -> idleNanos;
        };
    return limitNanos == NEVER ? NEVER : sinceNanos + limitNanos;
  }

  private long elapsed(long nowNanos) {
    return nowNanos - arrivedNanos;
  }

  private static long nanos(long ms) {
    return ms == 0 ? NEVER : TimeUnit.MILLISECONDS.toNanos(ms);
  }
}
