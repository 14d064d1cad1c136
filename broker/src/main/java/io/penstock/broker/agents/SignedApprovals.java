package io.penstock.broker.agents;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.Revocations;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.AgentRecord;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// Approved agents by the signatures of their records. A row that was changed behind our back
/// raises the alarm and approves nobody.
final class SignedApprovals implements ApprovedAgents {
  static final String CHANGED = "changed in the database behind the broker's back";

  private final Identities identities;
  private final SignedRecords records;
  private final Revocations revocations;
  private final Tampering tampering;

  SignedApprovals(Identities identities, BrokerKeys keys, Tampering tampering) {
    this.identities = identities;
    this.records = new SignedRecords(keys);
    this.revocations = keys.revocations();
    this.tampering = tampering;
  }

  @Override
  public Found find(Tx tx, String agent) {
    return watched(tx, () -> judge(tx, agent, identities.find(tx, agent)));
  }

  @Override
  public Found lock(Tx tx, String agent) {
    return watched(tx, () -> judge(tx, agent, identities.lock(tx, agent)));
  }

  private Found watched(Tx tx, Supplier<Found> look) {
    try {
      return look.get();
    } catch (TamperedException found) {
      tx.whenOver(() -> tampering.report(found));
      return new Found.NotApproved(CHANGED);
    }
  }

  private Found judge(Tx tx, String name, Optional<AgentStanding> standing) {
    if (standing.isEmpty()) {
      return new Found.Unknown();
    }
    AgentStanding agent = standing.get();
    if (revocations.isRevoked(name)) {
      return new Found.NotApproved("revoked");
    }
    if (agent.state() != AgentState.APPROVED) {
      return new Found.NotApproved(agent.state().name().toLowerCase(Locale.ROOT));
    }
    AgentKeys generation =
        identities
            .approved(tx, agent)
            .filter(keys -> keys.state() == GenerationState.APPROVED)
            .orElseThrow(
                () -> new TamperedException(name, "an approved agent without a generation"));
    AgentRecord signed = records.of(generation);
    return new Found.Approved(signed, generation.approval().orElseThrow().recordJws());
  }
}
