package io.penstock.broker.audit;

import io.penstock.broker.store.AuditShippedTable;
import io.penstock.broker.store.AuditShippedTable.Shipped;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import java.time.Duration;

/// What the retention waits for: a place outside that is to have the trail, too.
///
/// @param longest beyond the retention; then records go all the same
record PruningHold(AuditShippedTable table, String sink, Duration longest) {
  /// Position up to which it is there.
  long shipped(Tx tx) {
    try {
      return table.find(tx, sink).map(Shipped::position).orElse(0L);
    } catch (TamperedRowException _) {
      // What cannot be believed holds everything; the shipping says so, and goes no further.
      return 0;
    }
  }
}
