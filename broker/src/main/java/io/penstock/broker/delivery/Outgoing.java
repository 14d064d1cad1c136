package io.penstock.broker.delivery;

import io.penstock.broker.agents.Failpoint;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Content;
import io.penstock.broker.store.MessageTable.Kind;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.MessageTable.MessageKey;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/// Puts messages into agents' queues, at most [#MAX_UNDELIVERED] of each. Thread-safe; what is
/// committed is announced to every node.
public final class Outgoing implements MessageQueue {
  /// Undelivered messages that may wait for one agent.
  public static final int MAX_UNDELIVERED = 10_000;

  private final MessageTable messages;
  private final DeliveryLedger ledger;
  private final Failpoint failpoint;
  private final int limit;

  Outgoing(MessageTable messages, DeliveryLedger ledger, Failpoint failpoint, int limit) {
    this.messages = messages;
    this.ledger = ledger;
    this.failpoint = failpoint;
    this.limit = limit;
  }

  @Override
  public long configuration(
      Tx tx, Addressee to, String system, long version, String author, Instant now) {
    return ofSystem(
        tx, to, Content.ofSystem(Kind.CONFIGURATION, system, version), system, author, now);
  }

  @Override
  public long removal(
      Tx tx, Addressee to, String system, long version, String author, Instant now) {
    return ofSystem(tx, to, Content.ofSystem(Kind.REMOVAL, system, version), system, author, now);
  }

  @Override
  public long instruction(
      Tx tx,
      String agent,
      Instruction instruction,
      Optional<Duration> expiresIn,
      String author,
      Instant now) {
    if (instruction.kind() == InstructionKind.UNKNOWN) {
      throw new IllegalArgumentException("instruction: expected one that this version knows");
    }
    var content =
        Content.instruction(
            instruction.id(), instruction.kind().text(), Optional.ofNullable(instruction.system()));
    long sequence = messages.next(tx, agent);
    return put(
        tx,
        new MessageKey(agent, sequence),
        instruction.generation(),
        content,
        author,
        now,
        expiresIn.map(now::plus));
  }

  private long ofSystem(
      Tx tx, Addressee to, Content content, String system, String author, Instant now) {
    // First the number: its row locks the agent's queue, so that two deploys are one after the
    // other.
    long sequence = messages.next(tx, to.agent());
    for (Message old : messages.supersede(tx, to.agent(), system)) {
      ledger.superseded(tx, old, sequence);
    }
    var key = new MessageKey(to.agent(), sequence);
    return put(tx, key, to.generation(), content, author, now, Optional.empty());
  }

  private long put(
      Tx tx,
      MessageKey key,
      long generation,
      Content content,
      String author,
      Instant now,
      Optional<Instant> expiresAt) {
    int waiting = messages.count(tx, key.agent(), limit);
    if (waiting >= limit) {
      throw new QueueFullException(key.agent(), limit, waiting);
    }
    // The MAC covers it, and Postgres keeps microseconds.
    Optional<Instant> expires = expiresAt.map(at -> at.truncatedTo(ChronoUnit.MILLIS));
    messages.insert(tx, key, generation, content, author, now, expires);
    messages.announce(tx, key.agent());
    tx.afterCommit(() -> failpoint.passed(Delivery.FAIL_AFTER_QUEUED));
    return key.sequence();
  }

  @Override
  public void headRenewed(Tx tx, String agent) {
    messages.announceHead(tx, agent);
  }
}
