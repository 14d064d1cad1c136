package io.penstock.broker.audit;

import io.penstock.broker.store.AuditReportTable;
import io.penstock.broker.store.AuditReportTable.Access;
import io.penstock.broker.store.AuditReportTable.Change;
import io.penstock.broker.store.AuditReportTable.Failures;
import io.penstock.broker.store.AuditReportTable.Page;
import io.penstock.broker.store.AuditReportTable.Use;
import io.penstock.broker.store.Database;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The reports that auditors ask for, with the queries and fields of the security concept.
public final class Reports {
  /// More failures than this are worth a look.
  private static final long FAILURES = 5;

  private final Database database;
  private final AuditReportTable table = new AuditReportTable();
  private final Clock clock;

  public Reports(Database database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /// Data access of one user, newest first.
  public Report gdpr(String user, int days, Optional<Long> after, int limit) {
    Instant now = clock.instant();
    Page<Access> page =
        database.transaction(
            tx -> table.accesses(tx, user, now.minus(Duration.ofDays(days)), after, limit));
    return new Report(
        "gdpr",
        now,
        parameters("user", user, "days", days),
        List.of("timestamp", "event_type", "resource_id", "action"),
        page.rows().stream()
            .map(it -> row(it.timestamp(), it.eventType(), it.resourceId(), it.action()))
            .toList(),
        page.next());
  }

  /// Changes of configuration, oldest first.
  ///
  /// @param to not itself
  public Report soc2(Instant from, Instant to, Optional<Long> after, int limit) {
    Page<Change> page = database.transaction(tx -> table.changes(tx, from, to, after, limit));
    return new Report(
        "soc2",
        clock.instant(),
        parameters("from", from.toString(), "to", to.toString()),
        List.of("timestamp", "user_email", "event_type", "changes"),
        page.rows().stream()
            .map(it -> row(it.timestamp(), it.user(), it.eventType(), it.changes()))
            .toList(),
        page.next());
  }

  /// Who failed to sign in more than five times.
  public Report iso27001(int days, int limit) {
    Instant now = clock.instant();
    List<Failures> found =
        database.transaction(
            tx -> table.failures(tx, now.minus(Duration.ofDays(days)), FAILURES, limit));
    return new Report(
        "iso27001",
        now,
        parameters("days", days, "more_than", FAILURES),
        List.of("user_email", "failed_logins"),
        found.stream().map(it -> row(it.user(), it.count())).toList(),
        Optional.empty());
  }

  /// Who and what has access, and when each was used last: for the review of each quarter.
  ///
  /// @param unusedDays only those that were not used for so long; 0 = all
  public Report access(int unusedDays, int limit) {
    Instant now = clock.instant();
    Instant before =
        unusedDays == 0 ? now.plus(Duration.ofDays(1)) : now.minus(Duration.ofDays(unusedDays));
    List<Use> found = database.transaction(tx -> table.uses(tx, now, before, limit));
    return new Report(
        "access",
        now,
        Map.of("unused_days", unusedDays),
        List.of(
            "kind",
            "name",
            "access",
            "active",
            "created_at",
            "created_by",
            "last_used_at",
            "expires_at"),
        found.stream()
            .map(
                it ->
                    row(
                        it.kind(),
                        it.name(),
                        it.access(),
                        it.active(),
                        it.createdAt(),
                        it.createdBy(),
                        it.lastUsedAt(),
                        it.expiresAt()))
            .toList(),
        Optional.empty());
  }

  private static Map<String, Object> parameters(String a, Object one, String b, Object two) {
    var all = new LinkedHashMap<String, Object>();
    all.put(a, one);
    all.put(b, two);
    return all;
  }

  private static List<@Nullable Object> row(Object... values) {
    return Arrays.asList(
        Arrays.stream(values)
            .map(it -> it instanceof Optional<?> optional ? optional.orElse(null) : it)
            .toArray());
  }
}
