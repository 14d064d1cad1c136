package io.penstock.broker.audit;

import io.penstock.broker.audit.KnownCheckpoint.Signed;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditChainTable.Mark;
import io.penstock.broker.store.AuditChainTable.Placed;
import io.penstock.broker.store.AuditChainTable.StoredCheckpoint;
import io.penstock.broker.store.AuditChainTable.UnderWay;
import io.penstock.broker.store.AuditChainTable.Unplaced;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ChainEntry.Kind;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedDocument;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives audit rows their places in the chain, a moment after their transactions committed, so that
/// no transaction ever waits for another's row ([AuditChainTable] tells how it knows that nothing
/// can still come before). Signs checkpoints, and prunes below them. One broker of a cluster seals
/// at a
/// time.
///
/// What it has sealed or signed it does not unlearn: a database that contradicts that is not sealed
/// any further, because the next checkpoint would cover up for it.
///
/// Turns run one after the other on a thread of their own; [#checkpointNow] waits for its turn.
public final class ChainSealer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ChainSealer.class);
  private static final int TURN_MILLIS = 500;
  private static final int AT_ONCE = 2_000;
  private static final int MAX_MARKS = 64;
  private static final Duration CHECKPOINT_EVERY = Duration.ofMinutes(1);
  private static final long CHECKPOINT_RECORDS = 10_000;

  /// Without anything new, too: that nothing came since is also something to prove.
  private static final Duration SILENCE = Duration.ofHours(1);

  private static final Duration PRUNE_EVERY = Duration.ofHours(1);
  private static final Duration ALARM_EVERY = Duration.ofMinutes(10);
  private static final int PRUNED_AT_ONCE = 2_000;
  private static final int LAST_TURNS = 20;
  private static final int CLOSE_SECONDS = 5;

  private final Database database;
  private final AuditChainTable table;
  private final AlarmTable alarms = new AlarmTable();
  private final BrokerKeys keys;
  private final KnownCheckpoint known;
  private final Audit audit;
  private final Optional<Duration> retention;
  private final Clock clock;
  private final ScheduledExecutorService turns =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("audit-seal").factory());

  // Of turns, which exclude each other.
  private final Deque<Mark> marks = new ArrayDeque<>();
  private long settledId;
  private volatile Optional<ChainEntry> sealed = Optional.empty();
  private Optional<Signed> stored = Optional.empty();
  private boolean knownIsChecked;
  private Instant pruned = Instant.MIN;
  private Instant told = Instant.MIN;
  private Instant alarmed = Instant.MIN;
  private String contradiction = "";
  private long foreign;
  private volatile boolean closing;
  private volatile ChainState state = ChainState.NOTHING;

  /// @param retention empty = for ever
  ChainSealer(
      Database database,
      AuditChainTable table,
      BrokerKeys keys,
      KnownCheckpoint known,
      Audit audit,
      Optional<Duration> retention,
      Clock clock) {
    this.database = database;
    this.table = table;
    this.keys = keys;
    this.known = known;
    this.audit = audit;
    this.retention = retention;
    this.clock = clock;
  }

  public void start() {
    var _ =
        turns.scheduleWithFixedDelay(
            this::attempt, TURN_MILLIS, TURN_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void attempt() {
    try {
      turn(false);
      prune();
    } catch (StoreUnavailableException away) {
      LOG.debug("sealing the audit trail waits for the database: {}", away.getMessage());
    } catch (RuntimeException failure) {
      LOG.error("sealing the audit trail failed; it is tried again", failure);
    }
  }

  public ChainState state() {
    return state;
  }

  /// The last entry that this process made; what it knows without the database.
  Optional<ChainEntry> lastSealed() {
    return sealed;
  }

  /// Signs what is sealed by now, if that is more than what is signed.
  synchronized void checkpointNow() {
    turn(true);
  }

  /// Everything that is settled gets its place.
  synchronized void turn(boolean sign) {
    database.run(this::takeMark);
    int placed;
    do {
      placed = database.transaction(this::seal);
    } while (placed == AT_ONCE && !closing);
    Optional<Signed> signed =
        database.transaction(tx -> contradiction.isEmpty() ? signed(tx, sign) : Optional.empty());
    signed.ifPresent(known::remember);
    database.run(this::report);
  }

  private void takeMark(Tx tx) {
    long newest = marks.isEmpty() ? settledId : marks.getLast().lastId();
    if (marks.size() < MAX_MARKS && table.lastId(tx) > newest) {
      marks.addLast(table.mark(tx));
    }
  }

  private int seal(Tx tx) {
    if (!table.lock(tx)) {
      return 0;
    }
    settle(table.underWay(tx));
    Optional<Placed> head = table.head(tx);
    contradiction = contradiction(tx, head);
    long afterId = head.map(it -> it.entry().id()).orElse(0L);
    if (!contradiction.isEmpty()) {
      return 0;
    }
    sealed = head.map(Placed::entry);
    if (afterId >= settledId) {
      return 0;
    }
    List<Unplaced> rows = table.following(tx, afterId, settledId, AT_ONCE);
    List<ChainEntry> entries = entries(head.map(Placed::entry), rows);
    if (!entries.isEmpty()) {
      table.append(tx, entries);
      tx.afterCommit(() -> sealed = Optional.of(entries.getLast()));
      warn(tx, entries);
    }
    return entries.size();
  }

  /// Transactions that began before a mark are over: so are all that could still write up to it.
  private void settle(UnderWay underWay) {
    // Another server, or one that was set back, counts anew.
    if (marks.stream().anyMatch(mark -> mark.transaction() >= underWay.to())) {
      marks.clear();
      settledId = 0;
    }
    while (!marks.isEmpty() && marks.getFirst().transaction() < underWay.from()) {
      settledId = Math.max(settledId, marks.removeFirst().lastId());
    }
  }

  private static List<ChainEntry> entries(Optional<ChainEntry> head, List<Unplaced> rows) {
    var entries = new ArrayList<ChainEntry>(rows.size());
    Octets hash = head.map(ChainEntry::hash).orElse(ChainEntry.NOTHING_BEFORE);
    long position = head.map(ChainEntry::position).orElse(0L);
    boolean older = head.isEmpty() || head.get().kind() == Kind.BEFORE;
    for (Unplaced row : rows) {
      older = older && !row.signed();
      Kind kind = row.genuine() ? Kind.BROKER : older ? Kind.BEFORE : Kind.FOREIGN;
      ChainEntry entry = ChainEntry.of(hash, ++position, row.id(), kind, row.digest());
      entries.add(entry);
      hash = entry.hash();
    }
    return entries;
  }

  private void warn(Tx tx, List<ChainEntry> entries) {
    List<ChainEntry> bad = entries.stream().filter(it -> it.kind() == Kind.FOREIGN).toList();
    if (bad.isEmpty()) {
      return;
    }
    foreign += bad.size();
    String message =
        bad.size()
            + " audit records that the broker did not write, first id "
            + bad.getFirst().id();
    LOG.error("{}: see ctl audit verify", message);
    alarms.raise(
        tx, "audit-foreign-record", Severity.CRITICAL, "audit trail", message, clock.instant());
  }

  /// What the database says against what was sealed or signed; empty = nothing.
  private String contradiction(Tx tx, Optional<Placed> head) {
    try {
      stored = table.newestCheckpoint(tx).map(this::read);
    } catch (SealException forged) {
      return String.valueOf(forged.getMessage());
    }
    if (head.isPresent() && !head.get().genuine()) {
      return "the entry at position " + head.get().entry().position() + " is not the broker's";
    }
    Optional<ChainEntry> last = head.map(Placed::entry);
    if (sealed.isPresent() && !last.equals(sealed)) {
      ChainEntry mine = sealed.get();
      String wrong = against(tx, last, mine.position(), mine.hash(), "sealed");
      if (!wrong.isEmpty()) {
        return wrong;
      }
    }
    Optional<AuditCheckpoint> newest = known.newest().map(Signed::checkpoint);
    if (knownIsChecked || newest.isEmpty()) {
      return "";
    }
    String wrong = against(tx, last, newest.get().position(), newest.get().hash(), "signed");
    knownIsChecked = wrong.isEmpty();
    return wrong;
  }

  private String against(Tx tx, Optional<ChainEntry> head, long position, Octets hash, String how) {
    // Another broker of the cluster may have pruned since.
    if (position <= stored.map(it -> it.checkpoint().beginsAfter()).orElse(0L)) {
      return "";
    }
    long end = head.map(ChainEntry::position).orElse(0L);
    if (end < position) {
      return "the chain ends at position " + end + ", position " + position + " was " + how;
    }
    boolean same = table.at(tx, position).filter(it -> it.entry().hash().equals(hash)).isPresent();
    return same ? "" : "position " + position + " is not what was " + how;
  }

  /// The newest checkpoint once it is due, or the one that another broker has signed.
  private Optional<Signed> signed(Tx tx, boolean now) {
    if (!table.lock(tx)) {
      return table.newestCheckpoint(tx).map(this::read);
    }
    Optional<Signed> newest = newer(stored, known.newest());
    Optional<ChainEntry> head = table.head(tx).map(Placed::entry);
    if (head.isEmpty() || !isDue(head.get(), newest, now)) {
      return newest;
    }
    Optional<AuditCheckpoint> before = newest.map(Signed::checkpoint);
    return Optional.of(
        sign(
            tx,
            new AuditCheckpoint(
                before.map(AuditCheckpoint::number).orElse(0L) + 1,
                head.get().position(),
                head.get().id(),
                head.get().hash(),
                clock.instant().getEpochSecond(),
                before.map(AuditCheckpoint::beginsAfter).orElse(0L),
                before.map(AuditCheckpoint::beginsAfterId).orElse(0L),
                before.map(AuditCheckpoint::beginHash).orElse(ChainEntry.NOTHING_BEFORE))));
  }

  private Signed read(StoredCheckpoint row) {
    Optional<Signed> same = stored.filter(it -> it.jws().equals(row.jws()));
    if (same.isPresent()) {
      return same.get();
    }
    try {
      return new Signed(AuditCheckpoint.verify(row.jws(), keys.ownKeyset()), row.jws());
    } catch (SealException e) {
      throw new SealException(
          "the audit checkpoint " + row.number() + " in the database is not the broker's", e);
    }
  }

  private static Optional<Signed> newer(Optional<Signed> one, Optional<Signed> other) {
    boolean first =
        other.isEmpty()
            || (one.isPresent()
                && one.get().checkpoint().number() > other.get().checkpoint().number());
    return first ? one : other;
  }

  private boolean isDue(ChainEntry head, Optional<Signed> newest, boolean now) {
    if (newest.isEmpty()) {
      return true;
    }
    AuditCheckpoint last = newest.get().checkpoint();
    Duration age =
        Duration.between(Instant.ofEpochSecond(last.issuedAtEpochSeconds()), clock.instant());
    long records = head.position() - last.position();
    return (records > 0 && (now || records >= CHECKPOINT_RECORDS || !isLess(age, CHECKPOINT_EVERY)))
        || !isLess(age, SILENCE)
        || !isSignedByTheNewestKey(newest.get());
  }

  private static boolean isLess(Duration one, Duration other) {
    return one.compareTo(other) < 0;
  }

  private boolean isSignedByTheNewestKey(Signed signed) {
    return SignedDocument.keyIdOf(signed.jws(), DocumentType.AUDIT_CHECKPOINT)
        .equals(keys.signingKid(ManagedKey.CHECKPOINT));
  }

  private Signed sign(Tx tx, AuditCheckpoint checkpoint) {
    String jws = keys.sign(checkpoint);
    table.insertCheckpoint(
        tx,
        new StoredCheckpoint(
            checkpoint.number(),
            checkpoint.position(),
            Instant.ofEpochSecond(checkpoint.issuedAtEpochSeconds()),
            jws));
    return new Signed(checkpoint, jws);
  }

  /// For metrics, the log and the alarm.
  private void report(Tx tx) {
    long placed = Math.max(settledId, sealed.map(ChainEntry::id).orElse(0L));
    long unsealed = Math.max(0, table.lastId(tx) - placed);
    Optional<AuditCheckpoint> newest = known.newest().map(Signed::checkpoint);
    state =
        new ChainState(
            sealed.map(ChainEntry::position).orElse(0L),
            newest.map(AuditCheckpoint::number).orElse(0L),
            newest.map(AuditCheckpoint::position).orElse(0L),
            newest.map(AuditCheckpoint::issuedAtEpochSeconds).orElse(0L),
            unsealed,
            foreign,
            !contradiction.isEmpty());
    Instant now = clock.instant();
    if (newest.isPresent() && told.isBefore(now.minus(SILENCE))) {
      told = now;
      tell(newest.get());
    }
    if (!contradiction.isEmpty() && alarmed.isBefore(now.minus(ALARM_EVERY))) {
      alarmed = now;
      LOG.error("the audit trail is not sealed any more: {}; see ctl audit verify", contradiction);
      alarms.raise(tx, "audit-chain-broken", Severity.CRITICAL, "audit trail", contradiction, now);
    }
  }

  private static void tell(AuditCheckpoint checkpoint) {
    LOG.info(
        "audit checkpoint {} covers position {}, hash {}",
        checkpoint.number(),
        checkpoint.position(),
        checkpoint.hash());
  }

  /// Takes away what is older than the retention: whole prefixes, each up to a checkpoint that was
  /// signed before that time. The checkpoint that says so is signed first.
  synchronized void prune() {
    Instant now = clock.instant();
    if (retention.isEmpty()
        || !contradiction.isEmpty()
        || now.minus(PRUNE_EVERY).isBefore(pruned)) {
      return;
    }
    Optional<Signed> moved =
        database.transaction(tx -> withLaterBegin(tx, now.minus(retention.get())));
    moved.ifPresent(known::remember);
    long upTo = known.newest().map(it -> it.checkpoint().beginsAfter()).orElse(0L);
    while (upTo > 0 && database.transaction(tx -> table.prune(tx, upTo, PRUNED_AT_ONCE)) > 0) {
      LOG.debug("pruning the audit trail up to position {}", upTo);
    }
    pruned = now;
  }

  private Optional<Signed> withLaterBegin(Tx tx, Instant before) {
    if (!table.lock(tx)) {
      return Optional.empty();
    }
    Optional<AuditCheckpoint> newest = known.newest().map(Signed::checkpoint);
    Optional<AuditCheckpoint> old =
        table.checkpointBefore(tx, before).map(this::read).map(Signed::checkpoint);
    if (newest.isEmpty()
        || old.isEmpty()
        || old.get().position() <= newest.get().beginsAfter()
        || old.get().number() >= newest.get().number()) {
      return Optional.empty();
    }
    AuditCheckpoint begin = old.get();
    audit.record(
        tx,
        AuditEvent.of("audit.prune", "success")
            .by("retention")
            .changing(
                Map.of(
                    "up_to_position",
                    begin.position(),
                    "records",
                    begin.position() - newest.get().beginsAfter())));
    return Optional.of(
        sign(
            tx,
            new AuditCheckpoint(
                newest.get().number() + 1,
                newest.get().position(),
                newest.get().lastId(),
                newest.get().hash(),
                clock.instant().getEpochSecond(),
                begin.position(),
                begin.lastId(),
                begin.hash())));
  }

  /// Seals and signs what was written until now.
  @Override
  public void close() {
    closing = true;
    turns.shutdown();
    try {
      if (!turns.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the audit trail is still being sealed after {} s", CLOSE_SECONDS);
        return;
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return;
    }
    closing = false;
    int left = LAST_TURNS;
    do {
      turn(true);
    } while (!marks.isEmpty() && --left > 0);
    known.newest().map(Signed::checkpoint).ifPresent(ChainSealer::tell);
  }
}
