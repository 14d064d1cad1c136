package io.penstock.broker.edge;

import io.penstock.codec.AnswerHead;
import java.util.concurrent.TimeUnit;

/// The stamps of one call, and what they say about its hops until the answer's head.
///
/// ```
///  arrived ──broker──▶ opened ──tunnel, agent, system──▶ head arrived ──broker──▶ answered
/// ```
final class HopClock {
  private final long arrivedNanos;
  private long openedNanos;
  private long headArrivedNanos;
  private long answeredNanos;
  private long agentMicros;
  private long systemMicros;
  private boolean answered;

  HopClock(long nowNanos) {
    arrivedNanos = nowNanos;
  }

  long arrivedNanos() {
    return arrivedNanos;
  }

  /// OPEN was handed to the session; again when another session is tried.
  void opened(long nowNanos) {
    openedNanos = nowNanos;
  }

  void headArrived(AnswerHead head, long atNanos) {
    agentMicros = head.agentMicros();
    systemMicros = head.systemMicros();
    headArrivedNanos = atNanos;
  }

  void answered(long nowNanos) {
    answeredNanos = nowNanos;
    answered = true;
  }

  /// Value of `Server-Timing`, in milliseconds with three decimals. After [#answered].
  CharSequence serverTiming() {
    var text = new StringBuilder(96);
    append(text, "broker;dur=", brokerMicros());
    append(text, ", tunnel;dur=", tunnelMicros());
    append(text, ", agent;dur=", agentMicros);
    append(text, ", system;dur=", systemMicros);
    return text;
  }

  InvocationRecord.HopMicros hops(long nowNanos) {
    long totalMicros = micros(nowNanos - arrivedNanos);
    if (!answered) {
      return new InvocationRecord.HopMicros(totalMicros, 0, 0, 0, totalMicros);
    }
    return new InvocationRecord.HopMicros(
        brokerMicros(), tunnelMicros(), agentMicros, systemMicros, totalMicros);
  }

  private long brokerMicros() {
    return micros(openedNanos - arrivedNanos + answeredNanos - headArrivedNanos);
  }

  /// What is left when the agent's own figures are taken off; never below 0, whatever it claims.
  private long tunnelMicros() {
    return Math.max(0, micros(headArrivedNanos - openedNanos) - agentMicros - systemMicros);
  }

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos);
  }

  private static void append(StringBuilder text, String name, long micros) {
    text.append(name).append(micros / 1000).append('.');
    long thousandths = micros % 1000;
    if (thousandths < 100) {
      text.append('0');
    }
    if (thousandths < 10) {
      text.append('0');
    }
    text.append(thousandths);
  }
}
