package io.penstock.broker.agents;

import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.VerifyingKey;
import java.util.Optional;

/// The keys that agents sign receipts with, as their approval recorded them.
public interface SigningKeys {
  /// Empty: not approved, or under another generation.
  Optional<VerifyingKey> of(Tx tx, String agent, long generation);
}
