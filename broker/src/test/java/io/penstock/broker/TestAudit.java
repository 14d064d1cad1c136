package io.penstock.broker;

import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.TestDatabase;
import java.util.List;
import java.util.Optional;

/// The audit trail as it is stored, oldest first.
final class TestAudit {
  private TestAudit() {}

  static List<AuditTable.Entry> of(TestDatabase database) {
    var everything =
        new AuditTable.Filter(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            10_000);
    return database
        .database()
        .transaction(tx -> new AuditTable().list(tx, everything))
        .reversed()
        .stream()
        .map(AuditTable.Stored::entry)
        .toList();
  }
}
