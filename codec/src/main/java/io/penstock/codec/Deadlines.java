package io.penstock.codec;

/// How long an invocation may take, in milliseconds; 0 = no limit. Travels with OPEN so that both
/// ends cancel by themselves.
///
/// @param connectMs until the connection to the system stands
/// @param firstByteMs from then until the system's head
/// @param idleMs longest silence in either direction afterwards
/// @param totalMs from the call's arrival to its last byte
public record Deadlines(int connectMs, int firstByteMs, int idleMs, int totalMs) {
  public static final Deadlines DEFAULT = new Deadlines(5_000, 60_000, 300_000, 0);

  public Deadlines {
    if (connectMs < 0 || firstByteMs < 0 || idleMs < 0 || totalMs < 0) {
      throw new IllegalArgumentException(
          "expected deadlines from 0 ms, found "
              + connectMs
              + ", "
              + firstByteMs
              + ", "
              + idleMs
              + ", "
              + totalMs);
    }
  }

  /// Each limit the shorter of the two.
  public Deadlines atMost(Deadlines other) {
    return new Deadlines(
        shorter(connectMs, other.connectMs),
        shorter(firstByteMs, other.firstByteMs),
        shorter(idleMs, other.idleMs),
        shorter(totalMs, other.totalMs));
  }

  private static int shorter(int a, int b) {
    if (a == 0 || b == 0) {
      return Math.max(a, b);
    }
    return Math.min(a, b);
  }
}
