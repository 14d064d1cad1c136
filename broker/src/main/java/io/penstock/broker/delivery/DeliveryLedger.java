package io.penstock.broker.delivery;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Cause;
import io.penstock.broker.store.MessageTable.Content;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Applied;
import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.Receipt.Refused;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What became of messages, in the transaction in which it became so: audit and alarms.
final class DeliveryLedger {
  private static final String INSTRUCTION = "gateway.instruction";
  private static final List<AlarmKind> REFUSALS =
      List.of(
          AlarmKind.CONFIGURATION_REFUSED,
          AlarmKind.CONFIGURATION_ROLLBACK,
          AlarmKind.CONFIGURATION_BAD_SIGNATURE);

  private final Audit audit;
  private final AlarmTable alarms = new AlarmTable();
  private final Clock clock;
  private final DeliveryCounters counters;

  DeliveryLedger(Audit audit, Clock clock, DeliveryCounters counters) {
    this.audit = audit;
    this.clock = clock;
    this.counters = counters;
  }

  /// @param by sequence of the message that took its place
  void superseded(Tx tx, Message old, long by) {
    superseded(tx, old, "superseded by message " + by);
  }

  void superseded(Tx tx, Message old, String why) {
    audit.record(tx, event("gateway.message-superseded", "success", old).because(why));
    tx.afterCommit(counters.superseded::increment);
  }

  void expired(Tx tx, Message message) {
    audit.record(
        tx,
        event(INSTRUCTION, "failure", message)
            .because("expired before the agent answered")
            .by(message.author()));
    tx.afterCommit(counters.expired::increment);
  }

  /// An instruction was carried out, or the agent does not know it or does not follow it.
  void done(Tx tx, Message message, String result) {
    boolean followed =
        !result.equals(DeliveryReceipt.UNKNOWN) && !DeliveryReceipt.isRefusal(result);
    Map<String, Object> changes = changes(message);
    changes.put("state", DeliveryReceipt.isRefusal(result) ? "refused" : "done");
    changes.put("result", oneLine(result));
    audit.record(
        tx,
        AuditEvent.of(INSTRUCTION, followed ? "success" : "failure")
            .by(message.author())
            .on(message.agent())
            .changing(changes));
    tx.afterCommit(counters.acknowledged::increment);
  }

  /// A configuration that an older agent knows nothing of.
  void unknown(Tx tx, Message message) {
    audit.record(
        tx,
        event("gateway.message", "failure", message)
            .because("the agent's version does not know this message"));
    tx.afterCommit(counters.acknowledged::increment);
  }

  /// In the order in which they came.
  void receipts(Tx tx, List<Receipt> receipts) {
    var applied = new ArrayList<String>();
    for (Receipt receipt : receipts) {
      String subject = receipt.agent() + "/" + receipt.system();
      switch (receipt.outcome()) {
        case Applied _ -> applied.add(subject);
        case Refused(Reason reason, String detail) -> {
          clear(tx, applied);
          raise(tx, subject, receipt.version(), reason, detail);
        }
      }
    }
    clear(tx, applied);
    tx.afterCommit(() -> counters.acknowledged.add(receipts.size()));
  }

  private void clear(Tx tx, List<String> applied) {
    if (!applied.isEmpty()) {
      alarms.clear(tx, REFUSALS, applied, clock.instant());
      applied.clear();
    }
  }

  private void raise(Tx tx, String subject, long version, Reason reason, String detail) {
    alarms.raise(
        tx,
        kind(reason),
        subject,
        "version " + version + ": " + reason.text() + ", " + detail,
        clock.instant());
  }

  /// Was it changed on its way, is it an old one, or is it not to the agent's liking?
  private static AlarmKind kind(Reason reason) {
    return switch (reason) {
      case ROLLBACK -> AlarmKind.CONFIGURATION_ROLLBACK;
      case BAD_SIGNATURE, HASH_MISMATCH, COMMITMENT_MISMATCH ->
          AlarmKind.CONFIGURATION_BAD_SIGNATURE;
      case NOT_LISTED,
          WRONG_AGENT,
          WRONG_GENERATION,
          WRONG_SYSTEM,
          UNOPENABLE,
          SCHEMA_INVALID,
          UNKNOWN_PLUGIN,
          DESTINATION_WITHOUT_SECRETS,
          MISSING_SECRET_REFERENCE,
          START_FAILED,
          TOO_LARGE,
          CRASH_LOOP,
          UNKNOWN ->
          AlarmKind.CONFIGURATION_REFUSED;
    };
  }

  /// Its session is closed; the message stays.
  void badReceipt(Tx tx, String agent, String remote, long sequence, String what) {
    audit.record(
        tx,
        AuditEvent.of("gateway.bad-receipt", "failure")
            .by(agent)
            .on(agent)
            .from(Optional.of(remote), Optional.empty(), Optional.of("tunnel"))
            .changing(Map.of("sequence", sequence))
            .because(what));
    alarms.raise(
        tx,
        Cause.of(AlarmKind.BAD_RECEIPT_SIGNATURE, agent, "message " + sequence + ": " + what)
            .from(Optional.of(remote)),
        clock.instant());
    tx.afterCommit(counters.refused::increment);
  }

  /// A row that we did not write; it is gone now and nobody hears it.
  void tampered(Tx tx, Message message) {
    String what = "message " + message.sequence() + " does not carry our MAC";
    audit.record(
        tx, AuditEvent.of("gateway.tampered", "failure").on(message.agent()).because(what));
    alarms.raise(tx, AlarmKind.DATABASE_TAMPERED, message.agent(), what, clock.instant());
  }

  private static AuditEvent event(String type, String result, Message message) {
    return AuditEvent.of(type, result).on(message.agent()).changing(changes(message));
  }

  private static Map<String, Object> changes(Message message) {
    Content content = message.content();
    var changes = new LinkedHashMap<String, Object>();
    changes.put("sequence", message.sequence());
    content.system().ifPresent(system -> changes.put("system", system));
    content.version().ifPresent(version -> changes.put("version", version));
    content.instructionKind().ifPresent(kind -> changes.put("kind", kind));
    content.instructionId().ifPresent(id -> changes.put("id", id));
    return changes;
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\p{Cntrl}+", " ").strip();
  }
}
