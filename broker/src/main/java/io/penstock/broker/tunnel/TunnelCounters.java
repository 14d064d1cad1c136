package io.penstock.broker.tunnel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// What happened at the tunnel endpoint, since the start. Thread-safe.
public final class TunnelCounters {

  /// @param open tunnels right now, handshakes and pending agents included
  /// @param upgrades accepted
  /// @param refusedRequests upgrade requests that are none of ours
  /// @param refusedForLoad answered 503: too many handshakes or tunnels
  /// @param handshakes completed
  /// @param handshakesFailed a bad message, or closed on the way
  /// @param handshakesTimedOut not done in time
  /// @param violations WebSocket rules broken
  /// @param refused by the authority
  /// @param admitted sessions
  /// @param silent sessions ended because nothing was received
  /// @param replaced sessions ended by a newer epoch
  /// @param protocolErrors sessions ended because the agent broke the protocol
  /// @param recordsIn WebSocket messages received, each one record (of the handshake, one message)
  /// @param bytesIn of their payloads
  public record Snapshot(
      long open,
      long upgrades,
      long refusedRequests,
      long refusedForLoad,
      long handshakes,
      long handshakesFailed,
      long handshakesTimedOut,
      long violations,
      long refused,
      long admitted,
      long silent,
      long replaced,
      long protocolErrors,
      long recordsIn,
      long recordsOut,
      long bytesIn,
      long bytesOut) {}

  final AtomicInteger open = new AtomicInteger();
  final LongAdder upgrades = new LongAdder();
  final LongAdder refusedRequests = new LongAdder();
  final LongAdder refusedForLoad = new LongAdder();
  final LongAdder handshakes = new LongAdder();
  final LongAdder handshakesFailed = new LongAdder();
  final LongAdder handshakesTimedOut = new LongAdder();
  final LongAdder violations = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder admitted = new LongAdder();
  final LongAdder silent = new LongAdder();
  final LongAdder replaced = new LongAdder();
  final LongAdder protocolErrors = new LongAdder();
  final LongAdder recordsIn = new LongAdder();
  final LongAdder recordsOut = new LongAdder();
  final LongAdder bytesIn = new LongAdder();
  final LongAdder bytesOut = new LongAdder();

  public Snapshot snapshot() {
    return new Snapshot(
        open.get(),
        upgrades.sum(),
        refusedRequests.sum(),
        refusedForLoad.sum(),
        handshakes.sum(),
        handshakesFailed.sum(),
        handshakesTimedOut.sum(),
        violations.sum(),
        refused.sum(),
        admitted.sum(),
        silent.sum(),
        replaced.sum(),
        protocolErrors.sum(),
        recordsIn.sum(),
        recordsOut.sum(),
        bytesIn.sum(),
        bytesOut.sum());
  }
}
