package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Audit events and alarms about systems. What belongs to a change stands in its transaction; a
/// refusal has one of its own, because the refused one is gone.
final class Recorder {
  private static final Logger LOG = LoggerFactory.getLogger(Recorder.class);

  private final Database database;
  private final Audit audit;
  private final AlarmTable alarms = new AlarmTable();
  private final Clock clock;

  Recorder(Database database, Audit audit, Clock clock) {
    this.database = database;
    this.audit = audit;
    this.clock = clock;
  }

  void done(Tx tx, String type, String agent, String system, Actor by, Map<String, Object> what) {
    audit.record(tx, event(type, "success", agent, system, by).changing(what));
  }

  void refused(String type, String agent, String system, Actor by, Refusal refusal) {
    audit.record(
        event(type, "denied", agent, system, by)
            .because(refusal.reason().text() + ": " + refusal.detail()));
  }

  private static AuditEvent event(
      String type, String result, String agent, String system, Actor by) {
    return AuditEvent.of(type, result)
        .by(by.name())
        .on(agent + "/" + system)
        .agreedBy(by.approvedBy())
        .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource()));
  }

  /// What an agent's receipt said.
  void told(
      Tx tx,
      String type,
      String result,
      String agent,
      String system,
      Map<String, Object> what,
      Optional<String> reason) {
    AuditEvent event =
        AuditEvent.of(type, result)
            .by(agent)
            .on(agent + "/" + system)
            .changing(what)
            .from(Optional.empty(), Optional.empty(), Optional.of("tunnel"));
    audit.record(tx, reason.map(event::because).orElse(event));
  }

  /// Systems that an agent proved together to run what was deployed.
  void applied(Tx tx, String agent, List<Receipt> receipts, Octets document) {
    List<Map<String, Object>> systems =
        receipts.stream()
            .map(
                receipt ->
                    Map.<String, Object>of(
                        "system", receipt.system(), "version", receipt.version()))
            .toList();
    audit.record(
        tx,
        AuditEvent.of("system.applied", "success")
            .by(agent)
            .on(agent)
            .changing(Map.of("systems", systems, "receipt_sha256", document.base64Url()))
            .from(Optional.empty(), Optional.empty(), Optional.of("tunnel")));
  }

  /// A row that was changed behind our back. In a transaction of its own; without a database it is
  /// found again.
  void tampered(TamperedRowException found) {
    try {
      write(found);
    } catch (StoreUnavailableException away) {
      LOG.error("cannot record what was found: {}", found.getMessage(), away);
    }
  }

  /// An agent asked to replace a wrap that is not its own. Audited once until somebody acknowledges
  /// the alarm: it may ask as often as it likes.
  void foreignWrap(Tx tx, SystemVersion row, Octets replaces) {
    String what =
        "the agent asked to replace the wrap of system "
            + row.system()
            + " version "
            + row.version()
            + " to key "
            + replaces
            + ", which is not its own";
    if (alarms.raise(tx, AlarmKind.FOREIGN_WRAP, row.agent(), what, clock.instant())) {
      told(
          tx,
          "system.rewrapped",
          "denied",
          row.agent(),
          row.system(),
          Map.of("version", row.version(), "replaces", replaces.base64Url()),
          Optional.of("not the agent's wrap"));
    }
  }

  private void write(TamperedRowException found) {
    String what = String.valueOf(found.getMessage());
    database.run(
        tx -> {
          // It is met again and again until somebody mends it; the alarm counts that.
          if (alarms.raise(tx, AlarmKind.DATABASE_TAMPERED, found.agent(), what, clock.instant())) {
            audit.record(
                tx, AuditEvent.of("system.tampered", "success").on(found.agent()).because(what));
          }
        });
  }
}
