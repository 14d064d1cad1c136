package io.penstock.broker;

import io.penstock.broker.delivery.Documents;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.seal.Receipt;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A broker that knows agents and no systems of theirs: instructions are delivered, configurations
/// there are none.
final class NoSystems implements Documents {
  @Override
  public Optional<String> head(Tx tx, String agent) {
    return Optional.empty();
  }

  @Override
  public Optional<ConfigurationDocument> document(
      Tx tx, String agent, String system, long version) {
    return Optional.empty();
  }

  @Override
  public List<Listed> listed(Tx tx, String agent) {
    return List.of();
  }

  @Override
  public void receipt(Tx tx, Receipt receipt, String receiptJws, Instant now) {
    throw new IllegalStateException("a receipt for a system, and there are none");
  }
}
