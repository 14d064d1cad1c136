package io.penstock.broker.systems;

import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.ReceiptRow;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.SystemVersion.State;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.Receipt.Refused;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Optional;

/// Writes down what agents did with what they got.
final class Receipts {
  private final SystemTable table;
  private final Recorder recorder;

  Receipts(SystemTable table, Recorder recorder) {
    this.table = table;
    this.recorder = recorder;
  }

  /// False when there is no such version, so that nothing was written.
  boolean record(Tx tx, Receipt receipt, String jws, Instant now) {
    Optional<SystemRow> row = table.lock(tx, receipt.agent(), receipt.system());
    if (row.isEmpty()) {
      return false;
    }
    boolean ofTombstone = isTombstone(row.get(), receipt);
    Optional<SystemVersion> version =
        table
            .version(tx, receipt.agent(), receipt.system(), receipt.version())
            .filter(found -> found.headerSha256().equals(receipt.headerSha256()));
    if (!ofTombstone && version.isEmpty()) {
      return false;
    }
    table.put(tx, row(receipt, jws, now));
    version.ifPresent(found -> settle(tx, found, receipt));
    if (receipt.outcome() instanceof Receipt.Applied) {
      applied(tx, row.get(), receipt);
    }
    audit(tx, receipt);
    return true;
  }

  private static boolean isTombstone(SystemRow row, Receipt receipt) {
    return row.removedVersion() == receipt.version()
        && receipt.headerSha256().equals(ConfigurationHeader.NOTHING_BEFORE);
  }

  private void settle(Tx tx, SystemVersion version, Receipt receipt) {
    State state =
        switch (receipt.outcome()) {
          case Receipt.Applied() -> State.APPLIED;
          case Refused _ -> State.REFUSED;
        };
    if (version.state() != state) {
      table.changeState(tx, version, state);
    }
  }

  private void applied(Tx tx, SystemRow row, Receipt receipt) {
    // A late receipt about an old version tells nothing new: agents do not go back.
    if (receipt.version() > row.appliedVersion()) {
      table.update(tx, row.applied(receipt.version()));
    }
    Optional<HeadRow> head = table.lockHead(tx, receipt.agent());
    head.filter(found -> found.generation() == receipt.generation() && !found.applied())
        .filter(found -> !table.anyUnapplied(tx, receipt.agent(), found.generation()))
        .ifPresent(found -> table.update(tx, found.allApplied()));
  }

  private static ReceiptRow row(Receipt receipt, String jws, Instant now) {
    Optional<Refused> refused = refusal(receipt);
    return new ReceiptRow(
        receipt.agent(),
        receipt.system(),
        receipt.version(),
        refused.isPresent() ? "refused" : "applied",
        refused.map(it -> it.reason().text()),
        refused.map(Refused::detail),
        jws,
        now.truncatedTo(ChronoUnit.MILLIS));
  }

  private static Optional<Refused> refusal(Receipt receipt) {
    return receipt.outcome() instanceof Refused refused ? Optional.of(refused) : Optional.empty();
  }

  private void audit(Tx tx, Receipt receipt) {
    var what = new LinkedHashMap<String, Object>();
    what.put("version", receipt.version());
    what.put("header_sha256", receipt.headerSha256().base64Url());
    Optional<Refused> refused = refusal(receipt);
    recorder.told(
        tx,
        refused.isPresent() ? "system.refused" : "system.applied",
        refused.isPresent() ? "failure" : "success",
        receipt.agent(),
        receipt.system(),
        what,
        refused.map(it -> it.reason().text() + ": " + it.detail()));
    refused.ifPresent(it -> alarm(tx, receipt, it));
  }

  /// Refusals that no honest mistake of an operator makes.
  private void alarm(Tx tx, Receipt receipt, Refused refused) {
    String subject = receipt.agent() + "/" + receipt.system();
    String message =
        "version " + receipt.version() + ": " + refused.reason().text() + ": " + refused.detail();
    if (refused.reason() == Reason.ROLLBACK) {
      recorder.alarm(tx, "rollback", Severity.HIGH, subject, message);
    } else if (speaksOfForgery(refused.reason())) {
      recorder.alarm(tx, "configuration-forged", Severity.HIGH, subject, message);
    }
  }

  private static boolean speaksOfForgery(Reason reason) {
    return switch (reason) {
      case BAD_SIGNATURE,
          WRONG_AGENT,
          WRONG_GENERATION,
          WRONG_SYSTEM,
          HASH_MISMATCH,
          COMMITMENT_MISMATCH ->
          true;
      case NOT_LISTED,
          ROLLBACK,
          UNOPENABLE,
          SCHEMA_INVALID,
          UNKNOWN_PLUGIN,
          DESTINATION_WITHOUT_SECRETS,
          MISSING_SECRET_REFERENCE,
          START_FAILED,
          TOO_LARGE,
          CRASH_LOOP,
          UNKNOWN ->
          false;
    };
  }
}
