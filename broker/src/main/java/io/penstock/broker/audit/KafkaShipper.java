package io.penstock.broker.audit;

import io.penstock.broker.audit.KnownCheckpoint.Signed;
import io.penstock.broker.config.KafkaConfig;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditShippedTable;
import io.penstock.broker.store.AuditShippedTable.Shipped;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.seal.Octets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings the sealed trail to Kafka: a page of the chain, its acknowledgements, then the note in
/// Postgres how far it is. The chain is the outbox, so nothing that writes records knows of this,
/// and nothing is lost while Kafka is away; after a crash between the last two a page comes twice.
///
/// One broker of a cluster ships at a time, by a hold on the row that it renews. One that lost its
/// hold without knowing yet does no harm: a consumer takes the next position only, and what two
/// send is the same.
///
/// Turns run one after the other on a thread of their own, which Kafka's client may block.
final class KafkaShipper implements AutoCloseable {
  static final AlarmKind BEHIND = AlarmKind.AUDIT_KAFKA_BEHIND;
  static final AlarmKind TOPIC = AlarmKind.AUDIT_KAFKA_TOPIC;

  private static final Logger LOG = LoggerFactory.getLogger(KafkaShipper.class);
  private static final String SUBJECT = "audit trail";
  private static final int TURN_MILLIS = 500;
  private static final int SLICE_MILLIS = 200;
  private static final Duration HOLD = Duration.ofSeconds(60);
  private static final Duration RENEW_HOLD = Duration.ofSeconds(10);

  /// For the acknowledgements of one page. Then a new producer has a new look at names, addresses
  /// and the password.
  private static final Duration ACKNOWLEDGED = Duration.ofSeconds(60);

  private static final Duration LOOK_AT_TOPIC = Duration.ofHours(1);
  private static final Duration ALARM_EVERY = Duration.ofMinutes(10);
  private static final Duration LOG_EVERY = Duration.ofMinutes(1);
  private static final Duration CLOSE = Duration.ofSeconds(5);
  private static final Duration RELEASE = Duration.ofSeconds(2);

  private final Source source;
  private final KafkaConfig config;
  private final String sinkName;
  private final String holder;
  private final AlarmTable alarms = new AlarmTable();
  private final Clock clock;
  private final LongSupplier nanoClock;
  private final ScheduledExecutorService turns =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("audit-kafka").factory());
  private final Seldom failureLogged;
  private final Seldom behindRaised;
  private final Seldom holdRenewed;
  private final Seldom topicLookedAt;
  private volatile boolean closing;
  private volatile long closeAtNanos;

  // Of turns, which exclude each other.
  private Optional<KafkaSink> sink = Optional.empty();
  private String reason = "";
  private boolean isCaughtUp;
  private boolean lastTurn;
  private long watched;
  private long watchedNanos;
  // Of the process before this one, perhaps.
  private boolean wasBehind = true;
  private volatile boolean mine;
  private volatile boolean waiting;
  private volatile long position;
  private volatile long caughtUpNanos;

  /// What is read and where it is noted.
  record Source(
      Database database,
      AuditChainTable chain,
      AuditShippedTable shipped,
      KnownCheckpoint known,
      AuditExport export) {}

  /// @param holder this process, as no other is called
  KafkaShipper(
      Source source, KafkaConfig config, String holder, Clock clock, LongSupplier nanoClock) {
    this.source = source;
    this.config = config;
    this.holder = holder;
    this.clock = clock;
    this.nanoClock = nanoClock;
    sinkName = sink(config);
    caughtUpNanos = nanoClock.getAsLong();
    watchedNanos = caughtUpNanos;
    failureLogged = new Seldom(LOG_EVERY, nanoClock);
    behindRaised = new Seldom(ALARM_EVERY, nanoClock);
    holdRenewed = new Seldom(RENEW_HOLD, nanoClock);
    topicLookedAt = Seldom.afterAWhile(LOOK_AT_TOPIC, nanoClock);
  }

  /// What the row about it is called.
  static String sink(KafkaConfig config) {
    return "kafka/" + config.topic();
  }

  void start() {
    var _ =
        turns.scheduleWithFixedDelay(
            this::attempt, TURN_MILLIS, TURN_MILLIS, TimeUnit.MILLISECONDS);
  }

  ShippingState state(long sealed) {
    double seconds = mine && waiting ? (nanoClock.getAsLong() - caughtUpNanos) / 1e9 : 0;
    return new ShippingState(true, mine, position, Math.max(0, sealed - position), seconds);
  }

  /// A turn that whatever happens does not keep from the next.
  synchronized void attempt() {
    try {
      turn();
      reason = "";
    } catch (StoreUnavailableException away) {
      drop();
      LOG.debug("the audit trail's way to Kafka waits for the database: {}", away.getMessage());
    } catch (KafkaException away) {
      failed(away, words(away));
    } catch (RuntimeException | Error failure) {
      failed(failure, String.valueOf(failure.getMessage()));
    }
    try {
      report();
    } catch (StoreUnavailableException away) {
      LOG.debug("no alarm about Kafka without the database: {}", away.getMessage());
    }
  }

  private void failed(Throwable failure, String words) {
    drop();
    isCaughtUp = false;
    reason = words;
    if (!closing && failureLogged.mayNow()) {
      LOG.warn("the audit trail does not get to Kafka; it is tried again: {}", words);
      LOG.debug("the audit trail does not get to Kafka", failure);
    }
  }

  /// The innermost cause knows best.
  private static String words(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }

  private void turn() {
    long began = nanoClock.getAsLong();
    Optional<ShippedPage> page = source.database().transaction(this::take);
    if (page.isEmpty()) {
      lost();
      watch(began);
      return;
    }
    if (!mine) {
      wasBehind = true;
      mine = true;
    }
    while (page.isPresent() && !page.get().lines().isEmpty() && mayGoOn()) {
      waiting = true;
      ShippedPage now = page.get();
      await(opened().send(now.lines()));
      reason = "";
      long noted = nanoClock.getAsLong();
      page = source.database().transaction(tx -> note(tx, now.then()));
      if (!now.more()) {
        caughtUp(began);
      }
      began = noted;
    }
    if (page.isEmpty()) {
      lost();
    } else if (page.get().lines().isEmpty()) {
      waiting = false;
      caughtUp(began);
    }
  }

  /// What was sealed at that time is in Kafka.
  private void caughtUp(long nanos) {
    caughtUpNanos = nanos;
    isCaughtUp = true;
  }

  /// With a trail that grows all the time a turn would not end.
  private boolean mayGoOn() {
    return !closing || (lastTurn && !mustStop());
  }

  /// Another broker ships.
  private void lost() {
    drop();
    isCaughtUp = false;
    mine = false;
    waiting = false;
  }

  /// Whoever ships: what was sealed at the last look is there by now, or not.
  private void watch(long nanos) {
    if (position >= watched) {
      caughtUpNanos = watchedNanos;
      watched = source.database().transaction(this::sealed);
      watchedNanos = nanos;
    }
  }

  private long sealed(Tx tx) {
    return source.chain().head(tx).map(it -> it.entry().position()).orElse(0L);
  }

  private Optional<ShippedPage> note(Tx tx, Shipped reached) {
    return source.shipped().move(tx, sinkName, holder, reached) ? take(tx) : Optional.empty();
  }

  /// What comes next; empty while another broker has its turn.
  private Optional<ShippedPage> take(Tx tx) {
    if (!hold(tx)) {
      position = source.shipped().find(tx, sinkName).map(Shipped::position).orElse(0L);
      return Optional.empty();
    }
    Shipped from = begin(tx, source.shipped().find(tx, sinkName).orElseThrow());
    position = from.position();
    return Optional.of(ShippedPage.after(tx, source.chain(), from, source.export().header()));
  }

  private boolean hold(Tx tx) {
    if (source.shipped().hold(tx, sinkName, holder, HOLD)) {
      return true;
    }
    if (source.shipped().find(tx, sinkName).isPresent()) {
      return false;
    }
    source.shipped().begin(tx, sinkName, new Shipped(0, ChainEntry.NOTHING_BEFORE, 0, 1));
    return source.shipped().hold(tx, sinkName, holder, HOLD);
  }

  /// Where the trail goes on, which is later when the retention could not wait, or had been at work
  /// before there was a Kafka. What was shipped has to be what the chain says.
  private Shipped begin(Tx tx, Shipped from) {
    Optional<AuditCheckpoint> newest = source.known().newest().map(Signed::checkpoint);
    long beginsAfter = newest.map(AuditCheckpoint::beginsAfter).orElse(0L);
    if (from.position() < beginsAfter) {
      Octets hash = newest.orElseThrow().beginHash();
      return new Shipped(beginsAfter, hash, from.checkpoint(), from.rowVersion());
    }
    boolean same =
        from.position() == beginsAfter
            || source
                .chain()
                .at(tx, from.position())
                .filter(it -> it.entry().hash().equals(from.hash()))
                .isPresent();
    if (!same) {
      throw new IllegalStateException(
          "position " + from.position() + " of the chain is not what was sent to Kafka");
    }
    return from;
  }

  private KafkaSink opened() {
    if (sink.isEmpty() || topicLookedAt.mayNow()) {
      List<String> problems = KafkaTopic.problems(config);
      source.database().run(tx -> tell(tx, problems));
    }
    if (sink.isEmpty()) {
      sink = Optional.of(KafkaSink.open(config));
    }
    return sink.get();
  }

  private void tell(Tx tx, List<String> problems) {
    if (problems.isEmpty()) {
      alarms.clear(tx, TOPIC, SUBJECT, clock.instant());
    } else {
      String message = "the Kafka topic " + config.topic() + ": " + String.join("; ", problems);
      LOG.warn("{}", message);
      alarms.raise(tx, TOPIC, SUBJECT, message, clock.instant());
    }
  }

  private void drop() {
    sink.ifPresent(KafkaSink::close);
    sink = Optional.empty();
  }

  private void await(CompletableFuture<Void> acknowledged) {
    long until = System.nanoTime() + ACKNOWLEDGED.toNanos();
    while (!isOver(acknowledged)) {
      if (mustStop() || System.nanoTime() - until >= 0) {
        throw new KafkaException("Kafka acknowledges nothing");
      }
      reason = "Kafka acknowledges nothing";
      if (holdRenewed.mayNow() && !source.database().transaction(this::hold)) {
        throw new KafkaException("another broker has taken over");
      }
      report();
    }
  }

  private static boolean isOver(CompletableFuture<Void> acknowledged) {
    try {
      acknowledged.get(SLICE_MILLIS, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException _) {
      return false;
    } catch (ExecutionException e) {
      throw new KafkaException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("the broker stops", e);
    }
  }

  /// An alarm when something waits for too long; it is cleared when nothing does. Brokers that do
  /// not ship look, too, later than the one that does: perhaps only its name is in the row.
  private void report() {
    long nanos = nanoClock.getAsLong() - caughtUpNanos;
    boolean late = nanos > config.behindAfter().toNanos() * (mine ? 1 : 2);
    if (late && behindRaised.mayNow()) {
      raiseBehind(nanos);
    }
    if (mine && wasBehind && !late && isCaughtUp) {
      source.database().run(tx -> alarms.clear(tx, BEHIND, SUBJECT, clock.instant()));
      wasBehind = false;
    }
  }

  private void raiseBehind(long nanos) {
    String why = mine || !reason.isEmpty() ? reason : "the broker that has the turn sends nothing";
    String message =
        "audit records after position "
            + position
            + " are not in Kafka since "
            + TimeUnit.NANOSECONDS.toSeconds(nanos)
            + " s"
            + (why.isEmpty() ? "" : ": " + why);
    LOG.warn("{}", message);
    source.database().run(tx -> alarms.raise(tx, BEHIND, SUBJECT, message, clock.instant()));
    wasBehind = true;
    isCaughtUp = false;
  }

  private boolean mustStop() {
    return closing && nanoClock.getAsLong() - closeAtNanos >= 0;
  }

  /// What is sealed by now goes too, if Kafka answers within some seconds; then another broker may.
  @Override
  public void close() {
    closeAtNanos = nanoClock.getAsLong() + CLOSE.toNanos();
    closing = true;
    turns.shutdown();
    try {
      if (turns.awaitTermination(CLOSE.toSeconds(), TimeUnit.SECONDS)) {
        lastTurn();
      } else {
        turns.shutdownNow();
        LOG.warn("the audit trail's newest records are not in Kafka; they go there at the start");
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void lastTurn() {
    lastTurn = true;
    // Without a connection there is no time to make one.
    if (sink.isPresent()) {
      attempt();
    }
    drop();
    try {
      source
          .database()
          .within(
              RELEASE,
              tx -> {
                source.shipped().release(tx, sinkName, holder);
                return true;
              });
    } catch (StoreUnavailableException away) {
      LOG.debug("the hold ends by itself: {}", away.getMessage());
    }
  }
}
