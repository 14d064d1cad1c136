package io.penstock.broker;

import io.penstock.broker.store.AuditFilters;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.TestDatabase;
import java.util.List;

/// The audit trail as it is stored, oldest first.
final class TestAudit {
  private TestAudit() {}

  static List<AuditTable.Entry> of(TestDatabase database) {
    var everything = AuditFilters.newest(10_000);
    return database
        .database()
        .transaction(tx -> new AuditTable().list(tx, everything))
        .reversed()
        .stream()
        .map(AuditTable.Stored::entry)
        .toList();
  }
}
