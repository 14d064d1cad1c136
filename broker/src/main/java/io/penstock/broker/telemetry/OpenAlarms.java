package io.penstock.broker.telemetry;

import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.Database;
import java.util.Map;
import java.util.Optional;

/// How many alarms are open, as it was a moment ago. Unknown is not none.
final class OpenAlarms {
  private final Database database;
  private final AlarmTable table = new AlarmTable();
  private volatile Optional<Map<Severity, Long>> counts = Optional.empty();

  OpenAlarms(Database database) {
    this.database = database;
  }

  void refresh() {
    try {
      counts = Optional.of(database.transaction(table::countOpen));
    } catch (RuntimeException failed) {
      counts = Optional.empty();
      throw failed;
    }
  }

  double count(Severity severity) {
    return counts.map(known -> (double) known.getOrDefault(severity, 0L)).orElse(Double.NaN);
  }
}
