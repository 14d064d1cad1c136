package io.penstock.broker.agents;

import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.AgentRecord;

/// Who may be given configuration: agents whose approval is signed, not revoked, and whose rows say
/// the same. Blocks like every transaction.
public interface ApprovedAgents {
  Found find(Tx tx, String agent);

  /// Locks the agent until the transaction ends, so that its configuration and its identity change
  /// one after the other.
  Found lock(Tx tx, String agent);

  sealed interface Found {
    /// @param jws the record as it was signed
    record Approved(AgentRecord agentRecord, String jws) implements Found {}

    /// @param state `pending`, `quarantined`, …, or in words what is wrong
    record NotApproved(String state) implements Found {}

    record Unknown() implements Found {}
  }
}
