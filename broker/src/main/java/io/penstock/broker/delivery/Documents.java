package io.penstock.broker.delivery;

import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What systems offer to delivery. All of it runs on virtual threads, inside the caller's
/// transaction.
public interface Documents {

  /// Newest signed head manifest (compact JWS) of an approved agent; empty = it has no system.
  Optional<String> head(Tx tx, String agent);

  /// One version's document as the agent may fetch it; empty = no such version for this agent's
  /// generation.
  Optional<ConfigurationDocument> document(Tx tx, String agent, String system, long version);

  /// What the newest head lists, for the state digest and for judging receipts.
  List<Listed> listed(Tx tx, String agent);

  /// A receipt whose signature, agent, generation and hash delivery has checked: records what the
  /// agent did, and audits it.
  void receipt(Tx tx, Receipt receipt, String receiptJws, Instant now);

  /// An agent wrapped a version's key to its present sealing key; false: nothing to change.
  boolean rewrapped(Tx tx, String agent, long generation, Rewrapped told);

  /// One entry of the newest head.
  ///
  /// @param headerSha256 32 zero bytes for a tombstone
  record Listed(String system, long version, Octets headerSha256, boolean tombstone) {}
}
