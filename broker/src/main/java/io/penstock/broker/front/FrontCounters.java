package io.penstock.broker.front;

import java.util.concurrent.atomic.LongAdder;

/// What happened at the public port, since the start. Thread-safe.
public final class FrontCounters {

  /// @param connections accepted
  /// @param open right now
  /// @param overTotal closed: too many connections in all
  /// @param overAddress closed: too many of one address
  /// @param tlsFailed handshakes that failed or took too long
  /// @param headTimeouts closed: a head did not arrive in time
  /// @param idleTimeouts closed between two requests
  /// @param stalled closed: an API body or its reader stood still
  /// @param malformed requests that are none
  /// @param apiUnavailable answered 503, because the API did not answer
  /// @param tooLarge answered 413
  public record Snapshot(
      long connections,
      long open,
      long overTotal,
      long overAddress,
      long tlsFailed,
      long headTimeouts,
      long idleTimeouts,
      long stalled,
      long malformed,
      long apiUnavailable,
      long tooLarge) {}

  final LongAdder connections = new LongAdder();
  final LongAdder open = new LongAdder();
  final LongAdder overTotal = new LongAdder();
  final LongAdder overAddress = new LongAdder();
  final LongAdder tlsFailed = new LongAdder();
  final LongAdder headTimeouts = new LongAdder();
  final LongAdder idleTimeouts = new LongAdder();
  final LongAdder stalled = new LongAdder();
  final LongAdder malformed = new LongAdder();
  final LongAdder apiUnavailable = new LongAdder();
  final LongAdder tooLarge = new LongAdder();

  public Snapshot snapshot() {
    return new Snapshot(
        connections.sum(),
        open.sum(),
        overTotal.sum(),
        overAddress.sum(),
        tlsFailed.sum(),
        headTimeouts.sum(),
        idleTimeouts.sum(),
        stalled.sum(),
        malformed.sum(),
        apiUnavailable.sum(),
        tooLarge.sum());
  }
}
