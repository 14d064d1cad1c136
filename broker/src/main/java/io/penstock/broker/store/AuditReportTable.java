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

  /// Somebody or something that has access, or a secret that gives it.
  ///
  /// @param kind `user`, `service-account`, `service-token`, `enrollment-token`
  /// @param access a role, or what may be reached
  /// @param active neither disabled, revoked, used up nor over
  public record Use(
      String kind,
      String name,
      String access,
      boolean active,
      Instant createdAt,
      String createdBy,
      Optional<Instant> lastUsedAt,
      Optional<Instant> expiresAt) {}

  /// Those that were used last before `before`, or never; users by their sign-ins.
  public List<Use> uses(Tx tx, Instant now, Instant before, int limit) {
    var all = new ArrayList<Use>();
    tx.query(
            """
            select * from (
              select 'user' as kind, email as name, role as access, not disabled as active, created_at, created_by,
                last_login_at as last_used_at, null::timestamptz as expires_at from users
              union all
              select 'service-account', name, array_to_string(systems, ' '), not disabled, created_at, created_by,
                last_used_at, null from service_accounts
              union all
              select 'service-token', account || '/' || id, '', revoked_at is null and expires_at > $1, issued_at, issued_by,
                last_used_at, expires_at from service_tokens
              union all
              select 'enrollment-token', encode(id, 'hex'), coalesce(agent, site, ''), used_at is null and expires_at > $1,
                created_at, created_by, used_at, expires_at from enrollment_tokens
            ) as uses where last_used_at is null or last_used_at < $2 order by kind, name limit $3\
            """,
            now,
            before,
            limit)
        .forEach(
            row ->
                all.add(
                    new Use(
                        Values.text(row, "kind"),
                        Values.text(row, "name"),
                        Values.text(row, "access"),
                        Values.flag(row, "active"),
                        Values.instant(row, "created_at"),
                        Values.text(row, "created_by"),
                        Values.optionalInstant(row, "last_used_at"),
                        Values.optionalInstant(row, "expires_at"))));
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
