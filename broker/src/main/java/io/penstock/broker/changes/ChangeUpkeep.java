package io.penstock.broker.changes;

import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.access.Role;
import io.penstock.broker.store.ChangeTable;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.ChangeTable.Decision;
import io.penstock.broker.store.ChangeTable.State;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/// What time does to changes: waits that are over end, what a broker left half done is finished,
/// what was decided long ago goes.
final class ChangeUpkeep {
  private static final String BROKER = "penstock";
  private static final int AT_ONCE = 100;

  /// A broker that still works on it is done by then.
  private static final Duration UNDER_WAY = Duration.ofSeconds(30);

  private static final Duration KEPT = Duration.ofDays(90);

  private final Database database;
  private final ChangeTable table;
  private final ChangeBodies bodies;
  private final JointRevocation revocation;
  private final ChangeRecorder recorder;
  private final Clock clock;

  ChangeUpkeep(
      Database database,
      ChangeTable table,
      ChangeBodies bodies,
      JointRevocation revocation,
      ChangeRecorder recorder,
      Clock clock) {
    this.database = database;
    this.table = table;
    this.bodies = bodies;
    this.revocation = revocation;
    this.recorder = recorder;
    this.clock = clock;
  }

  void run() {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    List<Change> over = database.transaction(tx -> table.expired(tx, now, AT_ONCE));
    over.forEach(change -> expire(change.id(), now));
    List<Change> left =
        database.transaction(tx -> table.unfinished(tx, now.minus(UNDER_WAY), AT_ONCE));
    left.forEach(this::finish);
    database.run(bodies::rewrap);
    database.run(tx -> table.dropDecided(tx, now.minus(KEPT)));
  }

  private void expire(UUID id, Instant now) {
    database.run(tx -> table.lock(tx, id).ifPresent(change -> expire(tx, change, now)));
  }

  private void expire(Tx tx, Change change, Instant now) {
    if (change.state() != State.WAITING) {
      return;
    }
    if (!change.intact()) {
      tx.whenOver(() -> database.run(own -> recorder.tampered(own, change.id())));
      return;
    }
    Change next = change.decided(State.EXPIRED, new Decision(BROKER, now, ""), Optional.empty());
    table.update(tx, next);
    recorder.done(tx, "expire", next);
  }

  private void finish(Change change) {
    if (!change.intact()) {
      database.run(tx -> recorder.tampered(tx, change.id()));
      return;
    }
    Optional<String> approver = change.decision().map(Decision::by);
    var acting =
        new Actor(
            change.author(),
            Role.ADMIN,
            Set.of(),
            List.of(),
            new UUID(0, 0),
            Origin.internal(),
            approver);
    var _ = revocation.carryOut(change, acting);
  }
}
