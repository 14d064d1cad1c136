package io.penstock.broker.agents;

import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.VerifyingKey;
import java.util.Optional;

/// Signing keys out of the signed records, where the rows still say the same.
final class ApprovedSigningKeys implements SigningKeys {
  private final Identities identities;
  private final SignedRecords records;

  ApprovedSigningKeys(Identities identities, SignedRecords records) {
    this.identities = identities;
    this.records = records;
  }

  /// Throws [TamperedException] for rows that were changed behind our back.
  @Override
  public Optional<VerifyingKey> of(Tx tx, String agent, long generation) {
    return identities
        .find(tx, agent)
        .filter(standing -> standing.state() == AgentState.APPROVED)
        .filter(standing -> standing.generation() == generation)
        .flatMap(standing -> identities.approved(tx, standing))
        .map(records::of)
        .map(AgentRecord::signingPublic);
  }
}
