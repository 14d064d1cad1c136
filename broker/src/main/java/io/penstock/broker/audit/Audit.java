package io.penstock.broker.audit;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochRandomGenerator;
import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.AuditTable.Entry;
import io.penstock.broker.store.AuditTable.Filter;
import io.penstock.broker.store.AuditTable.Stored;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/// Writes events in the transaction of the change itself: what cannot be recorded does not happen.
/// Thread-safe; blocks like every transaction.
public final class Audit {
  private static final int MAX_TEXT = 255;

  private final Database database;
  private final AuditTable table = new AuditTable();
  private final RowMac mac;
  private final Clock clock;

  // Version 7, by time first: the newest stand side by side in their index.
  private final TimeBasedEpochRandomGenerator ids = Generators.timeBasedEpochRandomGenerator();

  public Audit(Database database, RowMac mac, Clock clock) {
    this.database = database;
    this.mac = mac;
    this.clock = clock;
  }

  public void record(Tx tx, AuditEvent event) {
    table.insert(
        tx,
        new Entry(
            ids.generate(),
            clock.instant(),
            event.type(),
            event.user().map(Audit::bounded),
            event.resourceId().map(Audit::bounded),
            event.action(),
            event.changes(),
            event.ip(),
            event.userAgent().map(Audit::bounded),
            event.resource().map(Audit::bounded),
            Optional.of(event.result()),
            event.reason().map(Audit::bounded),
            event.approvedBy()),
        mac);
  }

  /// Sends what waits to Postgres before the transaction's end.
  void flush(Tx tx) {
    table.flush(tx);
  }

  /// For events that belong to no change, such as a refusal.
  public void record(AuditEvent event) {
    database.run(tx -> record(tx, event));
  }

  /// Newest first.
  public List<Stored> list(Filter filter) {
    return database.transaction(tx -> table.list(tx, filter));
  }

  /// Callers choose these texts: bounded, and without the one character that Postgres text cannot
  /// hold.
  private static String bounded(String text) {
    String clean = text.replace('\u0000', '?');
    return clean.length() <= MAX_TEXT ? clean : clean.substring(0, MAX_TEXT);
  }
}
