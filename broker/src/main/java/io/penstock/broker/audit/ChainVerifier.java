package io.penstock.broker.audit;

import io.penstock.broker.audit.KnownCheckpoint.Signed;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditChainTable.Placed;
import io.penstock.broker.store.AuditChainTable.StoredCheckpoint;
import io.penstock.broker.store.AuditChainTable.Unplaced;
import io.penstock.broker.store.AuditChainTable.Whole;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.ChainCheck;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ChainEntry.Kind;
import io.penstock.codec.audit.Finding;
import io.penstock.codec.audit.Finding.What;
import io.penstock.codec.seal.SealException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Looks at the chain in the database, page by page, with what only the broker has: the key of the
/// MACs, the newest checkpoint outside of the database, and the last entry that this process made.
final class ChainVerifier {
  private static final int PAGE = 1_000;

  private final Database database;
  private final AuditChainTable table;
  private final BrokerKeys keys;
  private final KnownCheckpoint known;
  private final ChainSealer sealer;
  private final LongSupplier nanoClock;

  ChainVerifier(
      Database database,
      AuditChainTable table,
      BrokerKeys keys,
      KnownCheckpoint known,
      ChainSealer sealer,
      LongSupplier nanoClock) {
    this.database = database;
    this.table = table;
    this.keys = keys;
    this.known = known;
    this.sealer = sealer;
    this.nanoClock = nanoClock;
  }

  /// Looks for at most about `limit` at what follows position `after`, which was looked at before.
  Verdict verify(long after, Duration limit) {
    long until = nanoClock.getAsLong() + limit.toNanos();
    Optional<Signed> newest = known.newest();
    return new Look(after, newest, sealer.lastSealed()).run(until);
  }

  /// One look; of one thread.
  private final class Look {
    private final Optional<Signed> newest;
    private final Optional<ChainEntry> lastSealed;
    private final long after;
    private ChainCheck check;
    private boolean atTheBeginning;
    private boolean ended;
    private int waiting;

    Look(long after, Optional<Signed> newest, Optional<ChainEntry> lastSealed) {
      this.after = after;
      this.newest = newest;
      this.lastSealed = lastSealed;
      this.check = ChainCheck.from(checkpoint());
    }

    private Optional<AuditCheckpoint> checkpoint() {
      return newest.map(Signed::checkpoint);
    }

    Verdict run(long until) {
      atTheBeginning = after <= check.position();
      Optional<Finding> bad =
          atTheBeginning ? Optional.empty() : database.transaction(this::resume);
      while (bad.isEmpty() && !ended) {
        if (nanoClock.getAsLong() - until > 0) {
          return verdict(false, bad);
        }
        long before = check.position();
        bad = database.transaction(this::page);
        if (bad.isEmpty() && check.position() == before) {
          bad = database.transaction(this::tail);
        }
      }
      return verdict(true, bad);
    }

    private Verdict verdict(boolean complete, Optional<Finding> bad) {
      return new Verdict(
          complete, after, check.position(), bad, checkpoint(), newest.map(Signed::jws), waiting);
    }

    private Optional<Finding> resume(Tx tx) {
      Optional<Placed> placed = table.at(tx, after);
      if (placed.isEmpty() || !placed.get().genuine()) {
        return Optional.of(entryIsWrong(after, placed));
      }
      check = ChainCheck.after(placed.get().entry(), checkpoint());
      return Optional.empty();
    }

    private static Finding entryIsWrong(long position, Optional<Placed> placed) {
      return placed
          .map(
              it ->
                  new Finding(
                      What.CHANGED,
                      position,
                      it.entry().id(),
                      "its entry in the chain is not the broker's"))
          .orElseGet(
              () -> new Finding(What.DELETED, position, 0, "its entry in the chain is gone"));
    }

    private Optional<Finding> page(Tx tx) {
      long beginId = check.id();
      long idBefore = atTheBeginning ? Long.MIN_VALUE : beginId;
      long positionBefore = check.position();
      List<Whole> entries = table.page(tx, positionBefore, PAGE);
      if (entries.isEmpty()) {
        return Optional.empty();
      }
      long last = entries.getLast().placed().entry().position();
      Optional<Finding> bad = expect(tx, positionBefore, last);
      for (Whole entry : entries) {
        if (bad.isPresent()) {
          break;
        }
        bad = entry(entry);
      }
      // Whoever prunes meanwhile takes away what this look has not reached.
      Optional<Signed> now = known.newest();
      if (bad.isPresent()
          && now.map(it -> it.checkpoint().beginsAfter()).orElse(0L) > positionBefore) {
        check = ChainCheck.from(now.map(Signed::checkpoint));
        return Optional.empty();
      }
      Optional<Finding> between = unplaced(tx, idBefore, beginId, positionBefore);
      atTheBeginning = false;
      return between.isPresent() ? between : bad;
    }

    /// The checkpoints over a page. One that the owner did not sign is found where it stands.
    private Optional<Finding> expect(Tx tx, long from, long to) {
      for (StoredCheckpoint stored : table.checkpoints(tx, from, to)) {
        Optional<Finding> bad;
        try {
          if (!stored.genuine()) {
            throw new SealException("a checkpoint whose MAC does not hold");
          }
          bad = check.expect(AuditCheckpoint.verify(stored.jws(), keys.ownKeyset()));
        } catch (SealException _) {
          bad =
              Optional.of(
                  new Finding(
                      What.FORGED_CHECKPOINT,
                      stored.position(),
                      0,
                      "checkpoint " + stored.number() + " is not the broker's, or was changed"));
        }
        if (bad.isPresent()) {
          return bad;
        }
      }
      return Optional.empty();
    }

    private Optional<Finding> entry(Whole whole) {
      ChainEntry entry = whole.placed().entry();
      boolean next = entry.position() == check.position() + 1;
      if (next && !whole.placed().genuine() && entry.id() > check.id()) {
        return Optional.of(entryIsWrong(entry.position(), Optional.of(whole.placed())));
      }
      Optional<Finding> bad = check.entry(entry, whole.found());
      if (bad.isPresent() && bad.get().what() == What.CHANGED && whole.foundGenuine()) {
        return Optional.of(
            new Finding(
                What.REORDERED,
                entry.position(),
                entry.id(),
                "it is a record of the broker's, but not the one that was sealed in this place"));
      }
      if (bad.isEmpty() && entry.kind() == Kind.BROKER && !whole.foundGenuine()) {
        return Optional.of(
            new Finding(What.CHANGED, entry.position(), entry.id(), "its MAC was changed"));
      }
      return bad;
    }

    /// The first record without a place among those that were just looked at.
    private Optional<Finding> unplaced(Tx tx, long idBefore, long beginId, long positionBefore) {
      // What is being pruned loses its place and its row together, a part at a time.
      boolean pruning =
          atTheBeginning && positionBefore > 0 && table.at(tx, positionBefore).isPresent();
      long from = pruning ? beginId : idBefore;
      return table.unplaced(tx, from, check.id(), 1).stream()
          .findFirst()
          .map(
              it ->
                  new Finding(
                      What.INSERTED,
                      positionBefore + 1,
                      it.id(),
                      "it stands between sealed records and has no place in the chain"));
    }

    private Optional<Finding> tail(Tx tx) {
      Optional<Finding> bad = expect(tx, check.position() + 1, Long.MAX_VALUE);
      // In this order: a checkpoint that is seen has its entries before it.
      if (bad.isEmpty() && !table.page(tx, check.position(), 1).isEmpty()) {
        return Optional.empty();
      }
      ended = true;
      if (bad.isEmpty()) {
        bad = check.end();
      }
      if (bad.isEmpty() && lastSealed.isPresent()) {
        bad = atLeast(lastSealed.get());
      }
      return bad.isPresent() ? bad : waiting(tx);
    }

    private Optional<Finding> atLeast(ChainEntry sealed) {
      if (sealed.position() <= check.position()) {
        return Optional.empty();
      }
      return Optional.of(
          new Finding(
              What.CUT,
              check.position() + 1,
              0,
              "the chain ends at position "
                  + check.position()
                  + ", this broker has sealed position "
                  + sealed.position()));
    }

    /// Records that have no place yet are the broker's all the same.
    private Optional<Finding> waiting(Tx tx) {
      List<Unplaced> rows = table.unplaced(tx, check.id(), Long.MAX_VALUE, PAGE);
      waiting = rows.size();
      long lastId = table.lastId(tx);
      boolean older = check.position() == 0;
      for (Unplaced row : rows) {
        older = older && !row.signed();
        if ((!row.genuine() && !older) || row.id() > lastId) {
          return Optional.of(
              new Finding(
                  What.INSERTED,
                  check.position(),
                  row.id(),
                  "the broker did not write it, or not like that; it is not sealed yet"));
        }
      }
      return Optional.empty();
    }
  }
}
