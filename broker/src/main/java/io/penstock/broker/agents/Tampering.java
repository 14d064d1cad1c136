package io.penstock.broker.agents;

import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.store.Database;
import java.util.Optional;

/// Raises the alarm for rows that were changed behind our back. The transaction that found them is
/// gone by then, so the alarm has its own.
final class Tampering {
  private final Database database;
  private final Ledger ledger;

  Tampering(Database database, Ledger ledger) {
    this.database = database;
    this.ledger = ledger;
  }

  void report(TamperedException found) {
    database.run(
        tx -> {
          String what = String.valueOf(found.getMessage());
          // It is met again and again until somebody mends it; the alarm counts that.
          if (ledger.alarm(tx, Alarm.DATABASE_TAMPERED, found.agent(), what, Optional.empty())) {
            ledger.audit(tx, Ledger.Entry.of("gateway.tampered", found.agent()).because(what));
          }
        });
  }

  /// Runs `work`; false when it met such a row.
  boolean watch(Runnable work) {
    try {
      work.run();
      return true;
    } catch (TamperedException found) {
      report(found);
      return false;
    }
  }
}
