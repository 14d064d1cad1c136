package io.penstock.agent.plugin.http;

import java.util.concurrent.TimeUnit;

/// The clock of one exchange: when it came to which room.
final class Stopwatch {
  private final long openedNanos;
  private long connectedNanos;
  private long sentNanos;
  private long headNanos;
  private long activeNanos;

  Stopwatch(long nowNanos) {
    openedNanos = nowNanos;
    activeNanos = nowNanos;
  }

  void connected(long nowNanos) {
    connectedNanos = nowNanos;
    sentNanos = nowNanos;
    activeNanos = nowNanos;
  }

  /// Some of the request has left.
  void sent(long nowNanos) {
    sentNanos = nowNanos;
    activeNanos = nowNanos;
  }

  void head(long nowNanos) {
    headNanos = nowNanos;
    activeNanos = nowNanos;
  }

  void active(long nowNanos) {
    activeNanos = nowNanos;
  }

  long openedNanos() {
    return openedNanos;
  }

  /// Last byte of the request that left.
  long sentNanos() {
    return sentNanos;
  }

  long activeNanos() {
    return activeNanos;
  }

  long connectMicros() {
    return micros(connectedNanos - openedNanos);
  }

  /// From the request's last needed byte to the system's head.
  long systemMicros() {
    return micros(headNanos - sentNanos);
  }

  /// Inside the agent until the head left, without [#systemMicros].
  long agentMicros() {
    return Math.max(0, micros(headNanos - openedNanos) - systemMicros());
  }

  long totalMicros(long nowNanos) {
    return micros(nowNanos - openedNanos);
  }

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(Math.max(0, nanos));
  }
}
