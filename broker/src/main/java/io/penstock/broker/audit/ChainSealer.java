package io.penstock.broker.audit;

import io.penstock.broker.audit.KnownCheckpoint.Signed;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditChainTable.Glance;
import io.penstock.broker.store.AuditChainTable.Mark;
import io.penstock.broker.store.AuditChainTable.Placed;
import io.penstock.broker.store.AuditChainTable.UnderWay;
import io.penstock.broker.store.AuditChainTable.Unplaced;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ChainEntry.Kind;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives audit rows their places in the chain, a moment after their transactions committed, so that
/// no transaction ever waits for another's row ([AuditChainTable] tells how it knows that nothing
/// can still come before). Signs checkpoints, and prunes below them. One broker of a cluster seals
/// at a time.
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
  private static final Duration PRUNE_EVERY = Duration.ofHours(1);
  private static final Duration ALARM_EVERY = Duration.ofMinutes(10);
  private static final Duration LOG_EVERY = Duration.ofMinutes(1);
  private static final Duration HELD_UP = Duration.ofMinutes(5);
  private static final int PRUNED_AT_ONCE = 2_000;
  private static final int FAILURES = 5;
  private static final int LAST_TURNS = 20;
  private static final Duration CLOSE = Duration.ofSeconds(5);

  private static final String SUBJECT = "audit trail";

  private final Database database;
  private final AuditChainTable table;
  private final AlarmTable alarms = new AlarmTable();
  private final CheckpointSigner signer;
  private final KnownCheckpoint known;
  private final Optional<ChainPruning> pruning;
  private final Clock clock;
  private final LongSupplier nanoClock;
  private final ScheduledExecutorService turns =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("audit-seal").factory());

  // Of turns, which exclude each other.
  private final Deque<Waiting> marks = new ArrayDeque<>();
  private long settledId;
  private volatile Optional<ChainEntry> sealed = Optional.empty();
  private Optional<Signed> stored = Optional.empty();
  private boolean knownIsChecked;
  private Glance seen = Glance.NOTHING;
  private boolean quiet;
  private String contradiction = "";
  private int failures;
  private long foreign;
  // Of the process before this one, perhaps.
  private boolean heldUp = true;
  private boolean notKept = true;
  private final Seldom told;
  private final Seldom failureLogged;
  private final Seldom brokenRaised;
  private final Seldom heldUpRaised;
  private final Seldom notKeptRaised;
  private final Seldom unguardedRaised;
  private final Seldom pruned;
  private volatile boolean closing;
  private volatile boolean lastTurns;
  private volatile long closeAtNanos;
  private volatile ChainState state = ChainState.NOTHING;

  /// @param sinceNanos when the mark was taken
  private record Waiting(Mark mark, long sinceNanos) {}

  /// What one transaction did.
  ///
  /// @param mine nobody else was sealing
  /// @param newest checkpoint, perhaps just signed
  private record Step(boolean mine, int placed, Optional<Signed> newest) {}

  /// @param retention empty = for ever
  /// @param hold what the retention waits for
  /// @param nanoClock as [System#nanoTime]
  ChainSealer(
      Database database,
      AuditChainTable table,
      BrokerKeys keys,
      KnownCheckpoint known,
      Audit audit,
      Optional<Duration> retention,
      Optional<PruningHold> hold,
      Clock clock,
      LongSupplier nanoClock) {
    this.database = database;
    this.table = table;
    this.known = known;
    this.clock = clock;
    this.nanoClock = nanoClock;
    signer = new CheckpointSigner(table, keys, clock);
    pruning = retention.map(it -> new ChainPruning(table, signer, known, audit, it, hold, clock));
    told = new Seldom(CheckpointSigner.SILENCE, nanoClock);
    failureLogged = new Seldom(LOG_EVERY, nanoClock);
    brokenRaised = new Seldom(ALARM_EVERY, nanoClock);
    heldUpRaised = new Seldom(ALARM_EVERY, nanoClock);
    notKeptRaised = new Seldom(ALARM_EVERY, nanoClock);
    unguardedRaised = new Seldom(ALARM_EVERY, nanoClock);
    // Not at the start: there is time to see what the clock says.
    pruned = Seldom.afterAWhile(PRUNE_EVERY, nanoClock);
  }

  public void start() {
    var _ =
        turns.scheduleWithFixedDelay(
            this::attempt, TURN_MILLIS, TURN_MILLIS, TimeUnit.MILLISECONDS);
  }

  /// A turn that whatever happens does not keep from the next.
  synchronized void attempt() {
    try {
      turn(false);
      failures = 0;
      if (pruned.mayNow()) {
        prune();
      }
    } catch (StoreUnavailableException away) {
      LOG.debug("sealing the audit trail waits for the database: {}", away.getMessage());
    } catch (RuntimeException | Error failure) {
      failed(failure);
    }
  }

  private void failed(Throwable failure) {
    failures++;
    if (failureLogged.mayNow()) {
      LOG.error("sealing the audit trail failed; it is tried again", failure);
    }
    if (failures < FAILURES) {
      return;
    }
    try {
      report();
    } catch (RuntimeException | Error second) {
      failure.addSuppressed(second);
      LOG.debug("no alarm could be raised about the audit trail", failure);
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

  /// Everything that is settled gets its place. Without anything new that is one small transaction.
  synchronized void turn(boolean sign) {
    if (!transaction(tx -> isQuiet(tx, sign))) {
      quiet = false;
      Step step;
      do {
        step = transaction(tx -> step(tx, sign));
        step.newest().ifPresent(this::remember);
      } while (step.placed() == AT_ONCE && !mustStop());
      quiet =
          step.mine()
              && step.placed() < AT_ONCE
              && marks.isEmpty()
              && contradiction.isEmpty()
              && known.isKept();
    }
    report();
  }

  /// At the stop there is one deadline for everything.
  private <T> T transaction(Function<Tx, T> work) {
    return lastTurns
        ? database.within(Duration.ofNanos(Math.max(1, closeAtNanos - nanoClock.getAsLong())), work)
        : database.transaction(work);
  }

  private boolean mustStop() {
    return closing || (lastTurns && nanoClock.getAsLong() - closeAtNanos >= 0);
  }

  /// Takes a mark when rows have got numbers since the last one.
  private boolean isQuiet(Tx tx, boolean sign) {
    Glance now = table.glance(tx);
    boolean same = now.equals(seen);
    if (now.lastId() < seen.lastId()) {
      forgetMarks();
    }
    seen = now;
    if (same && quiet && !isDue(sign)) {
      return true;
    }
    long newest = marks.isEmpty() ? settledId : marks.getLast().mark().lastId();
    if (marks.size() < MAX_MARKS && now.lastId() > newest) {
      marks.addLast(new Waiting(table.mark(tx, now.lastId()), nanoClock.getAsLong()));
    }
    return false;
  }

  private boolean isDue(boolean sign) {
    return sealed.isPresent()
        && signer.isDue(
            sealed.get().position(), CheckpointSigner.newer(stored, known.newest()), sign);
  }

  /// Gives places to at most so many, and signs in the same transaction: what is signed is what was
  /// looked at, or made, under this lock.
  private Step step(Tx tx, boolean sign) {
    settle(table.underWay(tx));
    if (!table.lock(tx)) {
      return new Step(false, 0, Optional.empty());
    }
    Optional<Placed> placed = table.head(tx);
    contradiction = contradiction(tx, placed);
    if (!contradiction.isEmpty()) {
      return new Step(true, 0, Optional.empty());
    }
    Optional<ChainEntry> head = placed.map(Placed::entry);
    sealed = head;
    List<ChainEntry> entries = place(tx, head);
    Optional<ChainEntry> last = entries.isEmpty() ? head : Optional.of(entries.getLast());
    Optional<Signed> newest = CheckpointSigner.newer(stored, known.newest());
    boolean now = sign && (entries.size() < AT_ONCE || mustStop());
    if (last.isPresent() && signer.isDue(last.get().position(), newest, now)) {
      newest = Optional.of(signer.sign(tx, last.get(), newest.map(Signed::checkpoint)));
    }
    tx.afterCommit(() -> sealed = last);
    return new Step(true, entries.size(), newest);
  }

  private List<ChainEntry> place(Tx tx, Optional<ChainEntry> head) {
    long afterId = head.map(ChainEntry::id).orElse(0L);
    if (afterId >= settledId) {
      return List.of();
    }
    boolean unique = table.eventsAreUnique(tx);
    if (!unique && unguardedRaised.mayNow()) {
      raise(
          tx,
          AlarmKind.AUDIT_LOG_UNGUARDED,
          "audit_log has lost its unique constraint on event_id; copies are counted row by row");
    }
    List<ChainEntry> entries =
        entries(head, table.following(tx, afterId, settledId, AT_ONCE, unique));
    if (!entries.isEmpty()) {
      table.append(tx, entries);
      warn(tx, entries);
    }
    return entries;
  }

  /// Transactions that began before a mark are over: so are all that could still write up to it.
  private void settle(UnderWay underWay) {
    // Another server, or one that was set back, counts anew.
    if (marks.stream().anyMatch(it -> it.mark().transaction() >= underWay.to())) {
      forgetMarks();
    }
    while (!marks.isEmpty() && marks.getFirst().mark().transaction() < underWay.from()) {
      settledId = Math.max(settledId, marks.removeFirst().mark().lastId());
    }
  }

  private void forgetMarks() {
    marks.clear();
    settledId = 0;
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
    String message =
        bad.size()
            + " audit records that the broker did not write, first id "
            + bad.getFirst().id();
    LOG.error("{}: see ctl audit verify", message);
    raise(tx, AlarmKind.AUDIT_FOREIGN_RECORD, message);
    tx.afterCommit(() -> foreign += bad.size());
  }

  private void raise(Tx tx, AlarmKind kind, String message) {
    alarms.raise(tx, kind, SUBJECT, message, clock.instant());
  }

  /// What the database says against what was sealed or signed; empty = nothing.
  private String contradiction(Tx tx, Optional<Placed> head) {
    try {
      stored =
          table
              .newestCheckpoint(tx)
              .map(
                  row ->
                      stored
                          .filter(it -> row.genuine() && it.jws().equals(row.jws()))
                          .orElseGet(() -> signer.read(row)));
    } catch (SealException forged) {
      return String.valueOf(forged.getMessage());
    }
    if (head.isPresent() && !head.get().genuine()) {
      return "the entry at position " + head.get().entry().position() + " is not the broker's";
    }
    Optional<AuditCheckpoint> covered =
        CheckpointSigner.newer(stored, known.newest()).map(Signed::checkpoint);
    // What is pruned never reaches the newest checkpoint.
    if (head.isEmpty() && covered.filter(it -> it.position() > 0).isPresent()) {
      return "the chain is empty, checkpoint "
          + covered.get().number()
          + " covers position "
          + covered.get().position();
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

  /// A file that cannot be written stops neither sealing nor reports.
  private void remember(Signed signed) {
    try {
      known.remember(signed);
    } catch (UncheckedIOException e) {
      if (failureLogged.mayNow()) {
        LOG.error("the newest audit checkpoint cannot be kept outside of the database", e);
      }
    }
  }

  /// For metrics, the log and alarms.
  private void report() {
    long placed = Math.max(settledId, sealed.map(ChainEntry::id).orElse(0L));
    Optional<AuditCheckpoint> newest = known.newest().map(Signed::checkpoint);
    state =
        new ChainState(
            sealed.map(ChainEntry::position).orElse(0L),
            newest.map(AuditCheckpoint::number).orElse(0L),
            newest.map(AuditCheckpoint::position).orElse(0L),
            newest.map(AuditCheckpoint::issuedAtEpochSeconds).orElse(0L),
            Math.max(0, seen.lastId() - placed),
            foreign,
            !broken().isEmpty());
    if (newest.isPresent() && told.mayNow()) {
      tell(newest.get());
    }
    if (!broken().isEmpty() && brokenRaised.mayNow()) {
      LOG.error("the audit trail is not sealed any more: {}; see ctl audit verify", broken());
      database.run(tx -> raise(tx, AlarmKind.AUDIT_CHAIN_BROKEN, broken()));
    }
    reportHeldUp();
    reportNotKept();
  }

  private String broken() {
    return contradiction.isEmpty() && failures >= FAILURES
        ? "sealing failed " + FAILURES + " times in a row or more; the broker's log says why"
        : contradiction;
  }

  private void reportHeldUp() {
    boolean now =
        !marks.isEmpty()
            && nanoClock.getAsLong() - marks.getFirst().sinceNanos() > HELD_UP.toNanos();
    if (now && heldUpRaised.mayNow()) {
      String message =
          "no audit record gets its place since more than "
              + HELD_UP.toMinutes()
              + " minutes: a transaction of this Postgres server that writes is open since then";
      LOG.warn("{}: see pg_stat_activity", message);
      database.run(tx -> raise(tx, AlarmKind.AUDIT_SEALING_HELD_UP, message));
    }
    if (heldUp && !now) {
      database.run(
          tx -> alarms.clear(tx, AlarmKind.AUDIT_SEALING_HELD_UP, SUBJECT, clock.instant()));
    }
    heldUp = now;
  }

  private void reportNotKept() {
    boolean now = !known.isKept();
    if (now && notKeptRaised.mayNow()) {
      database.run(
          tx ->
              raise(
                  tx,
                  AlarmKind.AUDIT_CHECKPOINT_NOT_KEPT,
                  "the newest checkpoint cannot be written to the data directory"));
    }
    if (notKept && !now) {
      database.run(
          tx -> alarms.clear(tx, AlarmKind.AUDIT_CHECKPOINT_NOT_KEPT, SUBJECT, clock.instant()));
    }
    notKept = now;
  }

  private static void tell(AuditCheckpoint checkpoint) {
    LOG.info(
        "audit checkpoint {} covers position {}, hash {}",
        checkpoint.number(),
        checkpoint.position(),
        checkpoint.hash());
  }

  /// Takes away what is older than the retention: whole prefixes, each up to a checkpoint that was
  /// signed before that time. The checkpoint that says so is signed, and kept, first.
  synchronized void prune() {
    if (pruning.isEmpty() || !contradiction.isEmpty() || !known.isKept()) {
      return;
    }
    transaction(pruning.get()::moveBegin).ifPresent(known::remember);
    long upTo = known.newest().map(it -> it.checkpoint().beginsAfter()).orElse(0L);
    while (upTo > 0
        && !mustStop()
        && transaction(tx -> table.prune(tx, upTo, PRUNED_AT_ONCE)) > 0) {
      LOG.debug("pruning the audit trail up to position {}", upTo);
    }
  }

  /// Seals and signs what was written until now, for some seconds.
  @Override
  public void close() {
    closeAtNanos = nanoClock.getAsLong() + CLOSE.toNanos();
    closing = true;
    turns.shutdown();
    try {
      if (!turns.awaitTermination(CLOSE.toSeconds(), TimeUnit.SECONDS)) {
        LOG.warn("the audit trail is still being sealed after {} s", CLOSE.toSeconds());
        return;
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return;
    }
    lastTurns = true;
    closing = false;
    int left = LAST_TURNS;
    do {
      turn(true);
    } while (hasMarks() && --left > 0 && !mustStop());
    known.newest().map(Signed::checkpoint).ifPresent(ChainSealer::tell);
  }

  private synchronized boolean hasMarks() {
    return !marks.isEmpty();
  }
}
