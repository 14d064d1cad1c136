package io.penstock.broker.agents;

import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.keys.Revocations;
import io.penstock.broker.keys.Revocations.Recovery;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.RevocationTable;
import io.penstock.broker.store.Sent;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.util.Optional;

/// Holds the database's list of the revoked against the keystore's. The keystore's counts; a
/// database that was set back, or shows a list of its own, is put right and raises an alarm.
final class RevocationGuard {
  private final Database database;
  private final RevocationTable table;
  private final Revocations revocations;
  private final Ledger ledger;
  private final Clock clock;

  RevocationGuard(
      Database database,
      RevocationTable table,
      Revocations revocations,
      Ledger ledger,
      Clock clock) {
    this.database = database;
    this.table = table;
    this.revocations = revocations;
    this.ledger = ledger;
    this.clock = clock;
  }

  /// Once before the first tunnel: finishes a revocation that a crash cut in two.
  void start() {
    database.run(this::check);
  }

  void check(Tx tx) {
    sendCheck(tx).run();
  }

  /// [#check] in two: its statement is sent now, and what is answered waits for it and does the
  /// rest.
  ///
  /// The keystore is read first: a list is in the database before it is in the keystore, so ours
  /// can never be the newer one by a race.
  Runnable sendCheck(Tx tx) {
    String ours = revocations.newestJws();
    Sent<String> found = table.newestJws(tx);
    return () -> check(tx, ours, found.get());
  }

  private void check(Tx tx, String ours, String found) {
    if (found.equals(ours)) {
      return;
    }
    Recovery recovery = revocations.recover(found);
    switch (recovery) {
      case SAME, ADVANCED -> {}
      case DATABASE_BEHIND, FOREIGN -> putRight(tx, recovery);
    }
  }

  private void putRight(Tx tx, Recovery recovery) {
    table.restore(tx, revocations.counter(), revocations.newestJws(), clock.instant());
    ledger.alarm(
        tx,
        Alarm.REVOCATIONS_TAMPERED,
        "revocation list",
        recovery == Recovery.FOREIGN
            ? "the database had a revocation list that we never signed in this order"
            : "the database had an old revocation list",
        Optional.empty());
  }
}
