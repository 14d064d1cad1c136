package io.penstock.broker.agents;

import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// The ledger in Postgres.
final class StoredLedger implements Ledger {
  private final AuditTable audit;
  private final AlarmTable alarms;
  private final Clock clock;

  StoredLedger(AuditTable audit, AlarmTable alarms, Clock clock) {
    this.audit = audit;
    this.alarms = alarms;
    this.clock = clock;
  }

  @Override
  public void audit(Tx tx, Entry entry) {
    audit.insert(
        tx,
        new AuditTable.Entry(
            UUID.randomUUID(),
            clock.instant(),
            entry.type(),
            entry.by().map(Operator::email),
            Optional.of(entry.agent()),
            Optional.of(entry.type().substring(entry.type().indexOf('.') + 1)),
            Map.copyOf(entry.changes()),
            entry.from(),
            Optional.empty(),
            Optional.of("gateway"),
            Optional.of(entry.success() ? "success" : "failure"),
            entry.reason(),
            Optional.empty()));
  }

  @Override
  public void alarm(Tx tx, Alarm alarm, String subject, String message) {
    Instant now = clock.instant();
    alarms.raise(tx, kind(alarm), severity(alarm), subject, message, now);
  }

  private static String kind(Alarm alarm) {
    return alarm.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Severity severity(Alarm alarm) {
    return switch (alarm) {
      case AGENT_CLONED, DATABASE_TAMPERED, REVOCATIONS_TAMPERED -> Severity.CRITICAL;
      case TOKEN_REUSED, IDENTITY_MISMATCH -> Severity.HIGH;
      case TOKEN_SECRET_WRONG -> Severity.MEDIUM;
    };
  }
}
