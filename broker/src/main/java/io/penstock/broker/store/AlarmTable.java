package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Things to act on. The same kind about the same subject is one alarm with a count until somebody
/// acknowledges it.
public final class AlarmTable {
  private static final String COLUMNS =
      "id, kind, severity, subject, message, occurrences, raised_at, last_at, acknowledged_at,"
          + " acknowledged_by, comment, cleared_at";

  public enum Severity {
    CRITICAL,
    HIGH,
    MEDIUM,
    LOW
  }

  public record Acknowledgement(Instant at, String by, String comment) {}

  public record Alarm(
      long id,
      String kind,
      Severity severity,
      String subject,
      String message,
      long occurrences,
      Instant raisedAt,
      Instant lastAt,
      Optional<Acknowledgement> acknowledgement,
      Optional<Instant> clearedAt) {

    /// The agent that it is about, if it is about one: `agent` or `agent/system`.
    public String agentIfAny() {
      int slash = subject.indexOf('/');
      return slash < 0 ? subject : subject.substring(0, slash);
    }
  }

  /// True when this is a new alarm, false when it is one more occurrence of an open one.
  public boolean raise(
      Tx tx, String kind, Severity severity, String subject, String message, Instant at) {
    return tx.one(
            """
            insert into alarms (kind, severity, subject, message, raised_at, last_at) values ($1, $2, $3, $4, $5, $5)
            on conflict (kind, subject) where acknowledged_at is null and cleared_at is null
            do update set occurrences = alarms.occurrences + 1, last_at = excluded.last_at, message = excluded.message
            returning occurrences\
            """,
            kind,
            severity,
            subject,
            message,
            at)
        .map(row -> Values.number(row, "occurrences") == 1)
        .orElseThrow();
  }

  /// Newest first.
  public List<Alarm> list(Tx tx, boolean openOnly, int limit) {
    return list(tx, openOnly, Optional.empty(), limit);
  }

  /// @param agents only about these; empty = all, also what is about no agent
  public List<Alarm> list(Tx tx, boolean openOnly, Optional<List<String>> agents, int limit) {
    var alarms = new ArrayList<Alarm>();
    tx.query(
            "select "
                + COLUMNS
                + " from alarms where (not $1 or (acknowledged_at is null and cleared_at is null))"
                + " and ($3::text[] is null or split_part(subject, '/', 1) = any($3::text[]))"
                + " order by raised_at desc, id desc limit $2",
            openOnly,
            limit,
            agents)
        .forEach(row -> alarms.add(read(row)));
    return alarms;
  }

  /// Raised, repeated, acknowledged or cleared since `since`; the oldest change first.
  public List<Alarm> changedSince(Tx tx, Instant since, int limit) {
    var alarms = new ArrayList<Alarm>();
    tx.query(
            "select "
                + COLUMNS
                + " from alarms where greatest(last_at, acknowledged_at, cleared_at) >= $1"
                + " order by greatest(last_at, acknowledged_at, cleared_at), id limit $2",
            since,
            limit)
        .forEach(row -> alarms.add(read(row)));
    return alarms;
  }

  /// Severities without an open alarm are not in it.
  public Map<Severity, Long> countOpen(Tx tx) {
    var counts = new EnumMap<Severity, Long>(Severity.class);
    tx.query(
            "select severity, count(*) as alarms from alarms"
                + " where acknowledged_at is null and cleared_at is null group by severity")
        .forEach(
            row ->
                counts.put(
                    Values.constant(row, "severity", Severity.class),
                    Values.number(row, "alarms")));
    return counts;
  }

  public Optional<Alarm> find(Tx tx, long id) {
    return tx.one("select " + COLUMNS + " from alarms where id = $1", id).map(AlarmTable::read);
  }

  public boolean acknowledge(Tx tx, long id, String by, String comment, Instant at) {
    return tx.update(
            "update alarms set acknowledged_at = $4, acknowledged_by = $2, comment = $3 where id ="
                + " $1 and acknowledged_at is null",
            id,
            by,
            comment,
            at)
        == 1;
  }

  /// The cause is gone.
  public boolean clear(Tx tx, String kind, String subject, Instant at) {
    return tx.update(
            "update alarms set cleared_at = $3 where kind = $1 and subject = $2 and cleared_at is"
                + " null and acknowledged_at is null",
            kind,
            subject,
            at)
        == 1;
  }

  /// The causes are gone.
  public void clear(Tx tx, List<String> kinds, List<String> subjects, Instant at) {
    tx.update(
        """
        update alarms set cleared_at = $3 where id in (
          select id from alarms where kind = any($1::text[]) and subject = any($2::text[])
            and cleared_at is null and acknowledged_at is null order by id for update)\
        """,
        kinds,
        subjects,
        at);
  }

  private static Alarm read(Row row) {
    return new Alarm(
        Values.number(row, "id"),
        Values.text(row, "kind"),
        Values.constant(row, "severity", Severity.class),
        Values.text(row, "subject"),
        Values.text(row, "message"),
        Values.number(row, "occurrences"),
        Values.instant(row, "raised_at"),
        Values.instant(row, "last_at"),
        Values.optionalInstant(row, "acknowledged_at").map(at -> readAcknowledgement(row, at)),
        Values.optionalInstant(row, "cleared_at"));
  }

  private static Acknowledgement readAcknowledgement(Row row, Instant at) {
    return new Acknowledgement(
        at, Values.text(row, "acknowledged_by"), Values.optionalText(row, "comment").orElse(""));
  }
}
