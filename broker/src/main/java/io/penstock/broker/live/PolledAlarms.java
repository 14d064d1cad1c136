package io.penstock.broker.live;

import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.Database;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Looks for changed alarms in the table, of every node. What is committed a little later than it
/// says, or by a clock that is a little behind, is found too: each look goes back some seconds, and
/// knows what it has seen. After a long time without a look it begins anew.
public final class PolledAlarms implements AlarmSource {
  private static final Duration OVERLAP = Duration.ofSeconds(10);
  private static final Duration FORGOTTEN = Duration.ofMinutes(1);
  private static final int LIMIT = 500;
  private static final int REMEMBERED = 4 * LIMIT;

  private final Database database;
  private final AlarmTable table = new AlarmTable();
  private final Clock clock;
  private Instant looked;

  private final Map<Long, Alarm> seen =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Alarm> eldest) {
          return size() > REMEMBERED;
        }
      };

  public PolledAlarms(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
    looked = clock.instant();
  }

  @Override
  public List<Alarm> changes() {
    Instant now = clock.instant();
    Instant since = (looked.isBefore(now.minus(FORGOTTEN)) ? now : looked).minus(OVERLAP);
    var changes = new ArrayList<Alarm>();
    for (Alarm alarm : database.transaction(tx -> table.changedSince(tx, since, LIMIT))) {
      if (!alarm.equals(seen.put(alarm.id(), alarm))) {
        changes.add(alarm);
      }
    }
    looked = now;
    return changes;
  }
}
