package io.penstock.broker.systems;

import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.MessageQueue;
import io.penstock.broker.delivery.QueueFullException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.DeliveryMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// Remembers what was committed to it.
public final class RecordingQueue implements MessageQueue {
  public final List<String> messages = new CopyOnWriteArrayList<>();
  public final List<String> renewed = new CopyOnWriteArrayList<>();
  public volatile boolean full;

  /// What a real queue would do in the caller's transaction.
  volatile Consumer<Tx> whenAsked = _ -> {};
  private final AtomicLong sequence = new AtomicLong();

  @Override
  public long configuration(
      Tx tx, Addressee to, String system, long version, String author, Instant now) {
    return queued(tx, to.agent(), "configuration " + to.agent() + "/" + system + " " + version);
  }

  @Override
  public long removal(
      Tx tx, Addressee to, String system, long version, String author, Instant now) {
    return queued(tx, to.agent(), "removal " + to.agent() + "/" + system + " " + version);
  }

  @Override
  public long instruction(
      Tx tx,
      String agent,
      DeliveryMessage.Instruction instruction,
      Optional<Duration> expiresIn,
      String author,
      Instant now) {
    return queued(tx, agent, "instruction " + agent);
  }

  private long queued(Tx tx, String agent, String message) {
    if (full) {
      throw new QueueFullException(agent, 1, 2);
    }
    whenAsked.accept(tx);
    tx.afterCommit(() -> messages.add(message));
    return sequence.incrementAndGet();
  }

  @Override
  public void headRenewed(Tx tx, String agent) {
    tx.afterCommit(() -> renewed.add(agent));
  }
}
