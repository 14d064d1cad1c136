package io.penstock.broker.agents;

import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentKeys.Unlock;
import io.penstock.codec.seal.AgentRecord;
import java.util.Optional;

/// What a connection's agent is to us, by name, dev key and signed record.
sealed interface Standing {
  /// @param why for audit; the peer hears UNKNOWN_AGENT only
  record Unknown(String why) implements Standing {}

  record Revoked() implements Standing {}

  record Quarantined() implements Standing {}

  /// Enrolled, not approved yet.
  record Waiting(AgentKeys keys) implements Standing {}

  /// Approved under a generation that the agent has not heard of yet.
  record Promoted(AgentKeys keys) implements Standing {}

  record WrongNetwork() implements Standing {}

  /// A dev key that was this agent's once.
  record Cloned() implements Standing {}

  /// @param unlock the registered key it came with, current or next
  /// @param head the newest head manifest (compact JWS); empty = it has no system
  record Known(AgentKeys keys, AgentRecord signed, Unlock unlock, Optional<String> head)
      implements Standing {}
}
