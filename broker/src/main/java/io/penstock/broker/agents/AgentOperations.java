package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What operators see of agents and do to them; Blocks.
public interface AgentOperations {
  int MAX_LABELS = 100;

  List<AgentView> list();

  Optional<AgentView> find(String id);

  default Outcome approve(String id, String fingerprint, Actor by) {
    return approve(id, fingerprint, false, by);
  }

  /// @param plainBearer whether `by` knows that a gateway's tokens are bound to no key, where that
  ///     is so
  Outcome approve(String id, String fingerprint, boolean plainBearer, Actor by);

  Outcome reject(String id, Actor by);

  Outcome revoke(String id, Actor by);

  /// Closes its tunnels; it may come back.
  Outcome disconnect(String id, Actor by);

  /// From quarantine.
  Outcome release(String id, String fingerprint, Actor by);

  /// Adds, replaces and takes away labels; the others stay.
  ///
  /// @param change empty = the label goes
  Outcome label(String id, Map<String, Optional<String>> change, Actor by);

  /// How an operation ended.
  sealed interface Outcome {
    record Done() implements Outcome {}

    record UnknownAgent() implements Outcome {}

    record FingerprintMismatch() implements Outcome {}

    /// The agent has not yet shown that it can open what is sealed to it.
    record ProofMissing() implements Outcome {}

    /// A gateway whose tokens whoever holds them may use: expected somebody who says that he knows.
    record PlainBearer() implements Outcome {}

    /// The agent would have more than [#MAX_LABELS].
    record TooManyLabels() implements Outcome {}

    /// @param state the agent's state, which does not allow it
    record WrongState(String state) implements Outcome {}
  }

  /// One agent as the API shows it.
  ///
  /// @param state `pending`, `approved`, `rejected`, `quarantined`, `revoked`
  /// @param availability24h 0 to 1
  /// @param undelivered messages that wait for its receipts
  /// @param pendingFingerprint of a re-enrollment that waits beside the approved generation
  record AgentView(
      String id,
      String site,
      Map<String, String> labels,
      String state,
      boolean online,
      Optional<String> remoteIp,
      Optional<Instant> connectedAt,
      double availability24h,
      Latency latency,
      Enrollment enrollment,
      String fingerprint,
      Optional<String> pendingFingerprint,
      long generation,
      int tunnels,
      List<String> systems,
      long undelivered) {}

  /// Round trips of the tunnel in milliseconds; empty = not measured yet.
  record Latency(Optional<Double> p50, Optional<Double> p95, Optional<Double> p99) {}

  /// How the agent came to be trusted.
  record Enrollment(
      String method,
      Optional<String> tokenId,
      Instant at,
      Optional<String> approvedBy,
      Optional<Instant> approvedAt) {}
}
