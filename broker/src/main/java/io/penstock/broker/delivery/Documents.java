package io.penstock.broker.delivery;

import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Receipt;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What systems offer to delivery. All of it runs on virtual threads, inside the caller's
/// transaction.
public interface Documents {

  /// Newest signed head manifest (compact JWS) of an agent that the caller knows to be approved,
  /// signed anew when it is due, so that the transaction may hold the head's lock afterwards;
  /// empty = it has no system.
  ///
  /// @param generation in force
  Optional<String> head(Tx tx, String agent, long generation);

  /// One version's document as the agent may fetch it; empty = no such version for this agent's
  /// generation.
  Optional<ConfigurationDocument> document(Tx tx, String agent, String system, long version);

  /// The newest heads as they are, an answer for each. Signs and locks nothing.
  Map<Addressee, Newest> newest(Tx tx, Collection<Addressee> agents);

  /// Documents of at most `maxBytes`; what is larger, not there or not ours is not in the answer.
  Map<Wanted, ConfigurationDocument> documents(Tx tx, Collection<Wanted> wanted, int maxBytes);

  /// Receipts whose signature, agent, generation and hash delivery has checked: records what the
  /// agents did, and audits it.
  void receipts(Tx tx, List<Told> receipts, Instant now);

  /// Messages that were taken away without a receipt: what they would have brought waits no longer.
  /// The caller holds no lock of a system.
  void superseded(Tx tx, List<Message> dropped);

  /// What is known of the newest head of one generation of an agent.
  sealed interface Newest {
    /// What it lists; without a head, or with one of another generation only, nothing.
    ///
    /// @param jws empty = there is no head of this generation
    record Head(Optional<String> jws, Map<String, HeadManifest.Entry> systems) implements Newest {}

    /// What stands there is no answer: nothing may be concluded from it.
    record Unanswerable(String why) implements Newest {}
  }

  /// An agent wrapped a version's key to its present sealing key; false: nothing to change.
  boolean rewrapped(Tx tx, String agent, long generation, Rewrapped told);

  /// Names a document.
  record Wanted(Addressee agent, String system, long version) {}

  /// A receipt and the document in which it was signed.
  record Told(Receipt receipt, ReceiptTable.Document document) {}
}
