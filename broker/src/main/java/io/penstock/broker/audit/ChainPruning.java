package io.penstock.broker.audit;

import io.penstock.broker.audit.KnownCheckpoint.Signed;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.AuditCheckpoint;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where the chain may begin: up to the last checkpoint that is older than the retention.
final class ChainPruning {
  private static final Logger LOG = LoggerFactory.getLogger(ChainPruning.class);
  private static final Duration DAY = Duration.ofDays(1);

  private final AuditChainTable table;
  private final CheckpointSigner signer;
  private final KnownCheckpoint known;
  private final Audit audit;
  private final Duration retention;
  private final Optional<PruningHold> hold;
  private final AlarmTable alarms = new AlarmTable();
  private final Clock clock;

  /// @param hold what has to be elsewhere before it goes
  ChainPruning(
      AuditChainTable table,
      CheckpointSigner signer,
      KnownCheckpoint known,
      Audit audit,
      Duration retention,
      Optional<PruningHold> hold,
      Clock clock) {
    this.table = table;
    this.signer = signer;
    this.known = known;
    this.audit = audit;
    this.retention = retention;
    this.hold = hold;
    this.clock = clock;
  }

  /// The checkpoint that moves the beginning, which is signed before anything is taken away. What
  /// the newest one covers last stays, so that the chain is never empty.
  Optional<Signed> moveBegin(Tx tx) {
    if (!table.lock(tx)) {
      return Optional.empty();
    }
    Instant now = clock.instant();
    Optional<AuditCheckpoint> newest =
        CheckpointSigner.newer(table.newestCheckpoint(tx).map(signer::read), known.newest())
            .map(Signed::checkpoint);
    long shipped = hold.map(it -> it.shipped(tx)).orElse(Long.MAX_VALUE);
    Optional<AuditCheckpoint> old = signedBefore(tx, now.minus(retention), shipped);
    if (newest.isEmpty()
        || old.isEmpty()
        || old.get().position() <= newest.get().beginsAfter()
        || old.get().position() >= newest.get().position()
        || !isBelievable(tx, now)) {
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
    if (begin.position() > shipped) {
      tellOfLoss(tx, shipped, begin.position(), now);
    }
    return Optional.of(signer.signLaterBegin(tx, newest.get(), begin));
  }

  /// What is not elsewhere waits for that, and not for ever.
  private Optional<AuditCheckpoint> signedBefore(Tx tx, Instant time, long shipped) {
    Optional<AuditCheckpoint> overdue =
        signedBefore(tx, time.minus(hold.map(PruningHold::longest).orElse(Duration.ZERO)));
    if (overdue.filter(it -> it.position() >= shipped).isPresent() || hold.isEmpty()) {
      return overdue;
    }
    return table
        .checkpointBefore(tx, time, shipped)
        .map(signer::read)
        .map(Signed::checkpoint)
        .filter(it -> issued(it).isBefore(time));
  }

  private void tellOfLoss(Tx tx, long shipped, long position, Instant now) {
    String message =
        "audit records after position "
            + shipped
            + " up to "
            + position
            + " are pruned and were never in Kafka: the retention waited as long as it may";
    LOG.error("{}", message);
    alarms.raise(tx, AlarmKind.AUDIT_KAFKA_LOST, "audit trail", message, now);
  }

  private Optional<AuditCheckpoint> signedBefore(Tx tx, Instant time) {
    return table
        .checkpointBefore(tx, time)
        .map(signer::read)
        .map(Signed::checkpoint)
        .filter(it -> issued(it).isBefore(time));
  }

  private static Instant issued(AuditCheckpoint checkpoint) {
    return Instant.ofEpochSecond(checkpoint.issuedAtEpochSeconds());
  }

  /// A clock that is wrong forwards makes everything old at once. The trail's own checkpoints have
  /// to lead up to now: somebody has a day to see what the clock says.
  private boolean isBelievable(Tx tx, Instant now) {
    Optional<AuditCheckpoint> dayOld = signedBefore(tx, now.minus(DAY));
    boolean leads =
        dayOld.filter(it -> issued(it).isAfter(now.minus(DAY.multipliedBy(2)))).isPresent();
    if (!leads) {
      LOG.warn(
          "the audit trail is not pruned: between its checkpoints and now, {}, is more than a day;"
              + " a clock may be wrong, or the broker was off. It waits for a day of checkpoints",
          now);
    }
    return leads;
  }
}
