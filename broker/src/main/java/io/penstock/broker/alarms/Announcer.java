package io.penstock.broker.alarms;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AlarmNoticeTable;
import io.penstock.broker.store.AlarmNoticeTable.Change;
import io.penstock.broker.store.AlarmNoticeTable.What;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.SilenceTable;
import io.penstock.broker.store.SilenceTable.Silence;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes up what happened to alarms, on whichever node is first: into the audit trail, and onto the
/// channels that want to hear it, all in one transaction. Many changes at once are one notice.
final class Announcer {
  private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);

  /// Changes in one notice.
  static final int AT_ONCE = 100;

  /// Notices that wait on one channel; beyond, the oldest are dropped.
  static final int MAX_WAITING = 1_000;

  private final Database database;
  private final Audit audit;
  private final List<Courier> couriers;
  private final String broker;
  private final Clock clock;
  private final AlarmTable alarms = new AlarmTable();
  private final AlarmNoticeTable notices = new AlarmNoticeTable();
  private final SilenceTable silences = new SilenceTable();

  /// @param broker its URL
  Announcer(Database database, Audit audit, List<Courier> couriers, String broker, Clock clock) {
    this.database = database;
    this.audit = audit;
    this.couriers = List.copyOf(couriers);
    this.broker = broker;
    this.clock = clock;
  }

  /// Everything that waits.
  void announce() {
    while (database.transaction(this::some) == AT_ONCE) {
      // There is more.
    }
  }

  private int some(Tx tx) {
    List<Change> changes = notices.take(tx, AT_ONCE);
    if (changes.isEmpty()) {
      return 0;
    }
    Instant now = clock.instant();
    changes.stream()
        .filter(change -> change.what() != What.UNSILENCED)
        .forEach(change -> audit.record(tx, event(change)));
    List<Change> told = told(tx, changes, now);
    couriers.forEach(courier -> queue(tx, courier, told, now));
    return changes.size();
  }

  private static AuditEvent event(Change change) {
    var alarm = change.alarm();
    return AuditEvent.of(change.what() == What.CLEARED ? "alarm.clear" : "alarm.raise", "success")
        .on(alarm.subject())
        .because(alarm.message())
        .changing(
            Map.of(
                "id",
                alarm.id(),
                "kind",
                alarm.kind(),
                "severity",
                alarm.severity().name().toLowerCase(Locale.ROOT)));
  }

  /// Without what a silence hides; who was not told of an alarm is not told of its end.
  private List<Change> told(Tx tx, List<Change> changes, Instant now) {
    List<Silence> holding = silences.list(tx, now);
    var told = new ArrayList<Change>();
    var hidden = new ArrayList<Long>();
    for (Change change : changes) {
      var alarm = change.alarm();
      boolean silent =
          holding.stream().anyMatch(it -> it.holds(alarm.kind(), alarm.subject(), now));
      boolean unknown = alarm.withheld() || hidden.contains(alarm.id());
      if (change.what() == What.CLEARED ? unknown : silent) {
        hidden.add(alarm.id());
      } else {
        told.add(change);
      }
    }
    if (!hidden.isEmpty()) {
      alarms.withhold(tx, hidden);
    }
    return told;
  }

  private void queue(Tx tx, Courier courier, List<Change> changes, Instant now) {
    List<Change> wanted =
        changes.stream().filter(it -> courier.wants(it.alarm().severity())).toList();
    if (wanted.isEmpty()) {
      return;
    }
    notices.add(tx, courier.channel(), NoticeBody.of(broker, wanted), now);
    int dropped = notices.trim(tx, courier.channel(), MAX_WAITING);
    if (dropped > 0) {
      tx.afterCommit(
          () ->
              LOG.error(
                  "{}: {} notices are dropped, {} wait; the alarms stay in the API",
                  courier.channel(),
                  dropped,
                  MAX_WAITING));
    }
    tx.afterCommit(courier::wake);
  }
}
