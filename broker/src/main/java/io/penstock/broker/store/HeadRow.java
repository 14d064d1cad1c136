package io.penstock.broker.store;

import java.time.Instant;
import java.util.List;

/// One row of `heads`: the newest head manifest of an agent, as it was signed.
///
/// @param appliedSequence the newest sequence of which the agent has applied everything
public record HeadRow(
    String agent,
    long generation,
    long incarnation,
    long sequence,
    long appliedSequence,
    String jws,
    Instant issuedAt,
    Instant expiresAt,
    long rowVersion) {

  /// The agent has applied all that it lists.
  public boolean applied() {
    return appliedSequence == sequence;
  }

  public HeadRow allApplied() {
    return new HeadRow(
        agent,
        generation,
        incarnation,
        sequence,
        sequence,
        jws,
        issuedAt,
        expiresAt,
        rowVersion + 1);
  }

  /// What the MAC covers.
  List<String> granting() {
    return List.of(
        agent,
        Long.toString(rowVersion),
        Long.toString(generation),
        Long.toString(incarnation),
        Long.toString(sequence),
        Long.toString(appliedSequence),
        jws,
        Long.toString(issuedAt.toEpochMilli()),
        Long.toString(expiresAt.toEpochMilli()));
  }
}
