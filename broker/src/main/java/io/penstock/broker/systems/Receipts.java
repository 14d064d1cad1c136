package io.penstock.broker.systems;

import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.ReceiptRow;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.SystemVersion.State;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Refused;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Optional;

/// Writes down what agents did with what they got; delivery raises the alarms about it.
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
  }
}
