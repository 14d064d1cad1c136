package io.penstock.broker.delivery;

import io.penstock.broker.agents.Enrollments;
import io.penstock.broker.agents.Failpoint;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.delivery.Acknowledgements.Answer;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.tunnel.Deliveries;
import io.penstock.broker.tunnel.DocumentStream;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.SessionWatcher;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.message.ControlMessage.StateReport;
import io.penstock.codec.seal.WipeOrder;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Wires delivery on one broker node: hears of sessions and of what their agents say, sends, and
/// records receipts. A hint of Postgres or a new session makes a message leave at once; a round
/// every two seconds finds whatever no hint told of.
public final class Delivery implements Deliveries, SessionWatcher, AutoCloseable {
  /// The message is in the database, and nobody was told.
  static final String FAIL_AFTER_QUEUED = "message-after-commit";

  /// Messages went out, and no receipt has come.
  static final String FAIL_AFTER_SENT = "message-after-send";

  /// Receipts are verified, and nothing of them is recorded.
  static final String FAIL_BEFORE_RECORDED = "receipt-before-commit";

  private static final Duration ROUND = Duration.ofSeconds(2);
  private static final int EXPIRE_AT_ONCE = 500;
  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

  private final Database database;
  private final MessageTable messages;
  private final DeliveryLedger ledger;
  private final Clock clock;
  private final Roster roster = new Roster();
  private final DeliveryCounters counters = new DeliveryCounters();
  private final Sender sender;
  private final Acknowledgements acknowledgements;
  private final GatewayReceipts gatewayReceipts;
  private final DocumentDesk desk;
  private final KeyWraps keyWraps;
  private final Outgoing outgoing;
  private final HeadTeller heads;
  private final DeliveryDirectory directory;
  private final CountDownLatch closing = new CountDownLatch(1);

  /// What comes from elsewhere.
  ///
  /// @param wipeOrders signs them
  public record Surroundings(
      Database database,
      MessageTable messages,
      Documents documents,
      Enrollments enrollments,
      Function<WipeOrder, String> wipeOrders,
      Audit audit,
      Clock clock) {}

  public Delivery(Surroundings around) {
    this(around, Failpoint.ofProperty(), Outgoing.MAX_UNDELIVERED);
  }

  Delivery(Surroundings around, Failpoint failpoint, int limit) {
    database = around.database();
    messages = around.messages();
    clock = around.clock();
    ledger = new DeliveryLedger(around.audit(), clock, counters);
    sender =
        new Sender(
            database,
            messages,
            around.documents(),
            around.wipeOrders(),
            ledger,
            counters,
            roster,
            failpoint,
            clock);
    var recorder =
        new Recorder(database, messages, around.documents(), ledger, counters, failpoint, clock);
    gatewayReceipts = new GatewayReceipts(recorder);
    acknowledgements = new Acknowledgements(recorder, sender::wake);
    desk = new DocumentDesk(database, around.documents());
    keyWraps = new KeyWraps(database, around.documents());
    outgoing = new Outgoing(messages, ledger, failpoint, limit);
    heads = new HeadTeller(database, around.documents(), roster);
    directory =
        new DeliveryDirectory(
            database,
            messages,
            around.documents(),
            new Instructions(database, outgoing, around.enrollments(), around.audit(), clock),
            roster,
            clock);
  }

  public void start() {
    sender.start();
    acknowledgements.start();
    keyWraps.start();
    heads.start();
    Thread.ofVirtual().name("delivery-rounds").start(this::rounds);
  }

  /// Where systems put their messages.
  public MessageQueue queue() {
    return outgoing;
  }

  /// What the API shows of messages and does with instructions.
  public DeliveryOperations operations() {
    return directory;
  }

  /// Of agents without a tunnel.
  public GatewayReceipts gatewayReceipts() {
    return gatewayReceipts;
  }

  public DeliveryCounters.Snapshot counters() {
    return counters.snapshot();
  }

  /// Somebody queued something for an agent, or signed its head again. Never blocks.
  ///
  /// @param payload as [MessageTable#CHANNEL] tells it
  public void hint(String payload) {
    if (payload.startsWith(MessageTable.HEAD_HINT)) {
      heads.renewed(payload.substring(MessageTable.HEAD_HINT.length()));
    } else {
      sender.wake(payload);
    }
  }

  /// From now on no hint is missed; those before may have been.
  public void listening() {
    lookAround();
    roster.agents().forEach(heads::renewed);
  }

  /// Hints may have been missed.
  public void lookAround() {
    if (!roster.isEmpty()) {
      database.repeatable(messages::waiting).forEach(sender::wake);
    }
  }

  // Rounds.

  private void rounds() {
    try {
      while (!closing.await(ROUND.toNanos(), TimeUnit.NANOSECONDS)) {
        round();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void round() {
    try {
      expire();
      lookAround();
      heads.again();
    } catch (StoreUnavailableException away) {
      LOG.debug("messages wait for the database: {}", away.getMessage());
    } catch (RuntimeException bug) {
      LOG.error("a round of the delivery failed", bug);
    }
  }

  /// A window that was full of expired messages has moved.
  void expire() {
    List<Message> expired =
        database.repeatable(
            tx -> {
              List<Message> gone = messages.expire(tx, clock.instant(), EXPIRE_AT_ONCE);
              gone.forEach(message -> ledger.expired(tx, message));
              return gone;
            });
    expired.stream().map(Message::agent).distinct().forEach(sender::wake);
  }

  // What tunnels tell. On event loops.

  @Override
  public void admitted(LiveSession session) {
    roster.add(session);
    sender.wake(session.admission().agent());
  }

  @Override
  public void rulesChanged(LiveSession session) {
    // Routing's business.
  }

  /// Another session of the agent may be the chosen one now.
  @Override
  public void closed(LiveSession session) {
    roster.remove(session);
    sender.wake(session.admission().agent());
  }

  @Override
  public boolean receipt(LiveSession session, long sequence, byte[] body) {
    Optional<Attached> attached = roster.find(session);
    return attached.isEmpty() || acknowledgements.offer(new Answer(attached.get(), sequence, body));
  }

  /// Tells nothing that has to be sent: what is missing waits in the queue or is fetched by the
  /// agent itself. Kept by the session.
  @Override
  public void stateReported(LiveSession session, StateReport report) {
    sender.wake(session.admission().agent());
  }

  @Override
  public void rewrapped(LiveSession session, Rewrapped told) {
    keyWraps.offer(session, told);
  }

  @Override
  public void requested(LiveSession session, DocumentStream stream) {
    desk.requested(session, stream);
  }

  @Override
  public void close() {
    closing.countDown();
    sender.close();
    acknowledgements.close();
    keyWraps.close();
    heads.close();
  }
}
