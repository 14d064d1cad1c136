package io.penstock.broker.delivery;

import io.penstock.broker.store.Tx;
import io.penstock.codec.message.DeliveryMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Where messages for agents are put. Each call is part of the caller's transaction, which has
/// locked the agent: what is committed is delivered, what is rolled back was never said.
///
/// @see QueueFullException for what happens beyond an agent's bound
public interface MessageQueue {

  /// A new version is deployed; undelivered messages about the same system are superseded. The same
  /// transaction lists it in the newest head, after this call: messages are locked before heads.
  ///
  /// @return the message's sequence
  long configuration(Tx tx, Addressee to, String system, long version, String author, Instant now);

  /// A system is removed; undelivered messages about it are superseded.
  ///
  /// @param version of the tombstone that the newest head lists
  long removal(Tx tx, Addressee to, String system, long version, String author, Instant now);

  /// @param instruction names the generation of `agent` that it is for
  /// @param expiresIn how long it makes sense; empty = until it is done
  long instruction(
      Tx tx,
      String agent,
      DeliveryMessage.Instruction instruction,
      Optional<Duration> expiresIn,
      String author,
      Instant now);

  /// A head was signed again and nothing else changed: after the commit live sessions of the agent
  /// hear it, on whichever node they are; an absent agent gets the newest one when it comes.
  void headRenewed(Tx tx, String agent);
}
