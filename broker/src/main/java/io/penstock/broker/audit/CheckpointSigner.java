package io.penstock.broker.audit;

import io.penstock.broker.audit.KnownCheckpoint.Signed;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditChainTable.StoredCheckpoint;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.seal.DocumentType;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedDocument;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// When a checkpoint is due, what it says, and whether a stored one is the broker's.
final class CheckpointSigner {
  private static final Duration EVERY = Duration.ofMinutes(1);
  private static final long RECORDS = 10_000;

  /// Without anything new, too: that nothing came since is also something to prove.
  static final Duration SILENCE = Duration.ofHours(1);

  private final AuditChainTable table;
  private final BrokerKeys keys;
  private final Clock clock;

  CheckpointSigner(AuditChainTable table, BrokerKeys keys, Clock clock) {
    this.table = table;
    this.keys = keys;
    this.clock = clock;
  }

  /// Throws [SealException] for one that is not the broker's. A retired key's signature counts, the
  /// row's MAC says that it was this broker that stored it.
  Signed read(StoredCheckpoint row) {
    if (!row.genuine()) {
      throw new SealException(
          "the audit checkpoint " + row.number() + " in the database was changed");
    }
    try {
      return new Signed(AuditCheckpoint.verify(row.jws(), keys.ownKeyset()), row.jws());
    } catch (SealException e) {
      throw new SealException(
          "the audit checkpoint " + row.number() + " in the database is not the broker's", e);
    }
  }

  static Optional<Signed> newer(Optional<Signed> one, Optional<Signed> other) {
    boolean first =
        other.isEmpty()
            || (one.isPresent()
                && one.get().checkpoint().number() > other.get().checkpoint().number());
    return first ? one : other;
  }

  /// @param position of the chain's last entry
  /// @param now as soon as there is anything new
  boolean isDue(long position, Optional<Signed> newest, boolean now) {
    if (newest.isEmpty()) {
      return true;
    }
    AuditCheckpoint last = newest.get().checkpoint();
    Duration age =
        Duration.between(Instant.ofEpochSecond(last.issuedAtEpochSeconds()), clock.instant());
    long records = position - last.position();
    // A clock that was set back would silence it until that time comes again; other brokers' clocks
    // differ a little.
    boolean fromTheFuture = isLess(age, EVERY.negated());
    return (records > 0 && (now || records >= RECORDS || !isLess(age, EVERY)))
        || fromTheFuture
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

  /// Over the chain up to an entry that was just made, or looked at, in this transaction.
  Signed sign(Tx tx, ChainEntry last, Optional<AuditCheckpoint> before) {
    return sign(
        tx,
        new AuditCheckpoint(
            before.map(AuditCheckpoint::number).orElse(0L) + 1,
            last.position(),
            last.id(),
            last.hash(),
            clock.instant().getEpochSecond(),
            before.map(AuditCheckpoint::beginsAfter).orElse(0L),
            before.map(AuditCheckpoint::beginsAfterId).orElse(0L),
            before.map(AuditCheckpoint::beginHash).orElse(ChainEntry.NOTHING_BEFORE)));
  }

  /// Over what `newest` covers, beginning after what `begin` does.
  Signed signLaterBegin(Tx tx, AuditCheckpoint newest, AuditCheckpoint begin) {
    return sign(
        tx,
        new AuditCheckpoint(
            newest.number() + 1,
            newest.position(),
            newest.lastId(),
            newest.hash(),
            clock.instant().getEpochSecond(),
            begin.position(),
            begin.lastId(),
            begin.hash()));
  }

  private Signed sign(Tx tx, AuditCheckpoint checkpoint) {
    String jws = keys.sign(checkpoint);
    table.insertCheckpoint(
        tx,
        checkpoint.number(),
        checkpoint.position(),
        Instant.ofEpochSecond(checkpoint.issuedAtEpochSeconds()),
        jws);
    return new Signed(checkpoint, jws);
  }
}
