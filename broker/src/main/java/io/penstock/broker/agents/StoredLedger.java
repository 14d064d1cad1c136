package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Actor.Origin;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Cause;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;

/// The ledger in Postgres: the audit log and the table of alarms.
final class StoredLedger implements Ledger {
  private final Audit audit;
  private final AlarmTable alarms = new AlarmTable();
  private final Clock clock;

  StoredLedger(Audit audit, Clock clock) {
    this.audit = audit;
    this.clock = clock;
  }

  @Override
  public void audit(Tx tx, Entry entry) {
    AuditEvent event =
        AuditEvent.of(entry.type(), entry.result())
            .on(entry.subject())
            .changing(Map.copyOf(entry.changes()));
    AuditEvent reasoned = entry.reason().map(event::because).orElse(event);
    audit.record(
        tx,
        entry.by().map(by -> byOperator(reasoned, by)).orElseGet(() -> byAgent(reasoned, entry)));
  }

  private static AuditEvent byOperator(AuditEvent event, Actor operator) {
    Origin origin = operator.origin();
    return event
        .by(operator.name())
        .agreedBy(operator.approvedBy())
        .from(origin.ip(), origin.userAgent(), Optional.of(origin.resource()));
  }

  private static AuditEvent byAgent(AuditEvent event, Entry entry) {
    return event.from(entry.from(), Optional.empty(), Optional.of("tunnel"));
  }

  @Override
  public boolean alarm(Tx tx, Alarm alarm, String subject, String message, Optional<String> from) {
    return alarms.raise(tx, Cause.of(kind(alarm), subject, message).from(from), clock.instant());
  }

  private static AlarmKind kind(Alarm alarm) {
    return switch (alarm) {
      case AGENT_CLONED -> AlarmKind.AGENT_CLONED;
      case TOKEN_REUSED -> AlarmKind.TOKEN_REUSED;
      case TOKEN_SECRET_WRONG -> AlarmKind.TOKEN_SECRET_WRONG;
      case DATABASE_TAMPERED -> AlarmKind.DATABASE_TAMPERED;
      case REVOCATIONS_TAMPERED -> AlarmKind.REVOCATIONS_TAMPERED;
      case IDENTITY_MISMATCH -> AlarmKind.IDENTITY_MISMATCH;
    };
  }
}
