package io.penstock.broker.store;

import io.penstock.broker.store.AlarmTable.Alarm;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What has to be told about alarms: changes that nobody has taken up yet, and notices that wait on
/// a channel until they arrive.
public final class AlarmNoticeTable {
  private static final String ALARM =
      """
      a.id, a.kind, a.severity, a.subject, a.message, a.address, a.occurrences, a.raised_at, a.last_at,
      a.acknowledged_at, a.acknowledged_by, a.comment, a.cleared_at, a.withheld\
      """;

  public enum What {
    RAISED,
    CLEARED,
    /// It was raised in a silence, which is over.
    UNSILENCED
  }

  /// @param alarm as it is now
  public record Change(What what, Instant at, Alarm alarm) {}

  /// @param attempts this one included
  public record Notice(long id, JsonObject body, int attempts, Instant createdAt) {}

  /// The oldest ones, which are nobody else's from now on, and gone with the commit.
  public List<Change> take(Tx tx, int limit) {
    var changes = new ArrayList<Change>();
    tx.query(
            """
            with taken as (
              delete from alarm_changes where id in (
                select id from alarm_changes order by id limit $1 for update skip locked)
              returning id as change_id, alarm_id, change, at)
            select t.change, t.at, %s from taken t join alarms a on a.id = t.alarm_id order by t.change_id\
            """
                .formatted(ALARM),
            limit)
        .forEach(
            row ->
                changes.add(
                    new Change(
                        Values.constant(row, "change", What.class),
                        Values.instant(row, "at"),
                        AlarmTable.read(row))));
    return changes;
  }

  public void add(Tx tx, String channel, JsonObject body, Instant at) {
    tx.update(
        "insert into alarm_notices (channel, body, created_at, due_at) values ($1, $2, $3, $3)",
        channel,
        body,
        at);
  }

  /// Drops the oldest beyond `most`.
  ///
  /// @return how many
  public int trim(Tx tx, String channel, int most) {
    return tx.update(
        """
        delete from alarm_notices where channel = $1 and id <= (
          select id from alarm_notices where channel = $1 order by id desc offset $2 limit 1)\
        """,
        channel,
        most);
  }

  /// The oldest of a channel, if it is due; for `lease` it is nobody else's.
  public Optional<Notice> claim(Tx tx, String channel, Instant now, Duration lease) {
    return tx.one(
            """
            update alarm_notices set attempts = attempts + 1, due_at = $3
            where id = (select id from alarm_notices where channel = $1 order by id limit 1 for update skip locked)
              and due_at <= $2
            returning id, body, attempts, created_at\
            """,
            channel,
            now,
            now.plus(lease))
        .map(AlarmNoticeTable::read);
  }

  /// It has arrived, or is given up.
  public void done(Tx tx, long id) {
    tx.update("delete from alarm_notices where id = $1", id);
  }

  public void failed(Tx tx, long id, Instant dueAt, String error) {
    tx.update(
        "update alarm_notices set due_at = $2, last_error = $3 where id = $1", id, dueAt, error);
  }

  /// Of channels that are configured no more.
  public int dropOthers(Tx tx, List<String> channels) {
    return tx.update("delete from alarm_notices where not channel = any($1::text[])", channels);
  }

  private static Notice read(Row row) {
    return new Notice(
        Values.number(row, "id"),
        row.getJsonObject("body"),
        (int) Values.number(row, "attempts"),
        Values.instant(row, "created_at"));
  }
}
