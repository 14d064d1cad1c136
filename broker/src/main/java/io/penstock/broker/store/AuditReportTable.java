package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// What auditors ask of the trail, ready to be handed over.
public final class AuditReportTable {

  /// Where the next page begins: after this row.
  public record Page<T>(List<T> rows, Optional<Long> next) {}

  /// What a person did, or had done: data access under GDPR.
  public record Access(
      Instant timestamp, String eventType, Optional<String> resourceId, Optional<String> action) {}

  /// A change of configuration: SOC 2.
  ///
  /// @param changes a JSON object's text
  public record Change(
      Instant timestamp, Optional<String> user, String eventType, Optional<String> changes) {}

  /// Somebody's refused sign-ins: ISO 27001.
  public record Failures(Optional<String> user, long count) {}

  /// Newest first.
  public Page<Access> accesses(Tx tx, String user, Instant from, Optional<Long> after, int limit) {
    return page(
        tx.query(
            """
            select id, timestamp, event_type, resource_id, action from audit_log
            where user_email = $1 and timestamp > $2
              and ($3::bigint is null or (timestamp, id) < (select timestamp, id from audit_log where id = $3))
            order by timestamp desc, id desc limit $4\
            """,
            user,
            from,
            after,
            limit),
        limit,
        row ->
            new Access(
                Values.instant(row, "timestamp"),
                Values.text(row, "event_type"),
                Values.optionalText(row, "resource_id"),
                Values.optionalText(row, "action")));
  }

  /// Oldest first.
  ///
  /// @param to not itself
  public Page<Change> changes(Tx tx, Instant from, Instant to, Optional<Long> after, int limit) {
    return page(
        tx.query(
            """
            select id, timestamp, user_email, event_type, changes::text as changes from audit_log
            where (event_type like 'pipeline.%' or event_type like 'gateway.%') and timestamp >= $1 and timestamp < $2
              and ($3::bigint is null or (timestamp, id) > (select timestamp, id from audit_log where id = $3))
            order by timestamp, id limit $4\
            """,
            from, to, after, limit),
        limit,
        row ->
            new Change(
                Values.instant(row, "timestamp"),
                Values.optionalText(row, "user_email"),
                Values.text(row, "event_type"),
                Values.optionalText(row, "changes")));
  }

  /// Those with more than `more`, most first.
  public List<Failures> failures(Tx tx, Instant from, long more, int limit) {
    var all = new ArrayList<Failures>();
    tx.query(
            """
            select user_email, count(*) as failed_logins from audit_log
            where event_type = 'authentication.failure' and timestamp > $1
            group by user_email having count(*) > $2 order by count(*) desc, user_email limit $3\
            """,
            from,
            more,
            limit)
        .forEach(
            row ->
                all.add(
                    new Failures(
                        Values.optionalText(row, "user_email"),
                        Values.number(row, "failed_logins"))));
    return all;
  }

  private static <T> Page<T> page(Iterable<Row> found, int limit, Function<Row, T> read) {
    var rows = new ArrayList<T>();
    long last = 0;
    for (Row row : found) {
      rows.add(read.apply(row));
      last = Values.number(row, "id");
    }
    return new Page<>(rows, rows.size() < limit ? Optional.empty() : Optional.of(last));
  }
}
