package io.penstock.broker.systems;

import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.Documents.Told;
import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.ReceiptRow;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemTable.SystemKey;
import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.SystemVersion.State;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Refused;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Writes down what agents did with what they got; delivery raises the alarms about it.
final class Receipts {
  private final SystemTable table;
  private final ReceiptTable receipts;
  private final Recorder recorder;

  Receipts(SystemTable table, ReceiptTable receipts, Recorder recorder) {
    this.table = table;
    this.receipts = receipts;
    this.recorder = recorder;
  }

  /// Answers those about versions that are not there, of which nothing was written. Of two about
  /// one version the later counts.
  List<Receipt> record(Tx tx, List<Told> told, Instant now) {
    var receipts = new LinkedHashMap<VersionKey, Told>();
    told.forEach(one -> receipts.put(key(one.receipt()), one));
    Map<SystemKey, SystemRow> systems = new HashMap<>();
    table
        .lock(tx, receipts.keySet().stream().map(VersionKey::of).distinct().toList())
        .forEach(row -> systems.put(new SystemKey(row.agent(), row.system()), row));
    Map<VersionKey, SystemVersion> versions =
        table.versions(tx, receipts.keySet()).stream()
            .collect(Collectors.toMap(Receipts::key, Function.identity()));
    List<HeadRow> heads =
        table.lockHeads(tx, receipts.keySet().stream().map(VersionKey::agent).distinct().toList());

    var unknown = new ArrayList<Receipt>();
    var known = new ArrayList<Told>();
    for (var entry : receipts.entrySet()) {
      Receipt receipt = entry.getValue().receipt();
      SystemRow row = systems.get(entry.getKey().of());
      SystemVersion version = versions.get(entry.getKey());
      boolean there =
          row != null
              && (isTombstone(row, receipt)
                  || (version != null && version.headerSha256().equals(receipt.headerSha256())));
      if (there) {
        known.add(entry.getValue());
      } else {
        unknown.add(receipt);
      }
    }
    write(tx, known, systems, versions, heads, now);
    return unknown;
  }

  private void write(
      Tx tx,
      List<Told> told,
      Map<SystemKey, SystemRow> systems,
      Map<VersionKey, SystemVersion> versions,
      List<HeadRow> heads,
      Instant now) {
    if (told.isEmpty()) {
      return;
    }
    List<Told> kept = worthKeeping(tx, told, systems, versions);
    if (!kept.isEmpty()) {
      receipts.put(
          tx,
          kept.stream().map(one -> row(one, now)).toList(),
          kept.stream().map(Told::document).distinct().toList());
    }
    List<SystemVersion> settled =
        told.stream()
            .map(one -> settled(versions, one.receipt()))
            .flatMap(Optional::stream)
            .toList();
    if (!settled.isEmpty()) {
      table.changeStates(tx, settled);
    }
    var applied = new LinkedHashMap<SystemKey, SystemRow>();
    told.stream()
        .map(Told::receipt)
        .filter(receipt -> receipt.outcome() instanceof Receipt.Applied)
        .forEach(receipt -> applied(receipt, systems, applied));
    if (!applied.isEmpty()) {
      table.updateApplied(tx, List.copyOf(applied.values()));
    }
    settleHeads(tx, told, heads);
    told.stream()
        .filter(one -> isNews(one.receipt(), systems, versions))
        .forEach(one -> audit(tx, one));
  }

  /// What was told before is not written again, or starts would fill the database; the reasons of
  /// refusals may differ from try to try.
  private List<Told> worthKeeping(
      Tx tx,
      List<Told> told,
      Map<SystemKey, SystemRow> systems,
      Map<VersionKey, SystemVersion> versions) {
    Set<VersionKey> again =
        told.stream()
            .map(Told::receipt)
            .filter(it -> refusal(it).isEmpty() && !isNews(it, systems, versions))
            .map(Receipts::key)
            .collect(Collectors.toSet());
    if (again.isEmpty()) {
      return told;
    }
    Set<VersionKey> written = receipts.written(tx, again);
    return told.stream().filter(one -> !written.contains(key(one.receipt()))).toList();
  }

  /// Agents prove what runs at every start, and again after a tunnel that may have taken a receipt
  /// along: the trail has each decision once.
  private static boolean isNews(
      Receipt receipt, Map<SystemKey, SystemRow> systems, Map<VersionKey, SystemVersion> versions) {
    SystemRow row = systems.get(new SystemKey(receipt.agent(), receipt.system()));
    boolean rises =
        receipt.outcome() instanceof Receipt.Applied
            && row != null
            && receipt.version() > row.appliedVersion();
    return rises || settled(versions, receipt).isPresent();
  }

  private static VersionKey key(Receipt receipt) {
    return new VersionKey(receipt.agent(), receipt.system(), receipt.version());
  }

  private static VersionKey key(SystemVersion row) {
    return new VersionKey(row.agent(), row.system(), row.version());
  }

  private static boolean isTombstone(SystemRow row, Receipt receipt) {
    return row.removedVersion() == receipt.version()
        && receipt.headerSha256().equals(ConfigurationHeader.NOTHING_BEFORE);
  }

  private static Optional<SystemVersion> settled(
      Map<VersionKey, SystemVersion> versions, Receipt receipt) {
    State state =
        switch (receipt.outcome()) {
          case Receipt.Applied() -> State.APPLIED;
          case Refused _ -> State.REFUSED;
        };
    return Optional.ofNullable(versions.get(key(receipt)))
        .filter(version -> version.headerSha256().equals(receipt.headerSha256()))
        .filter(version -> version.state() != state)
        .map(version -> version.with(state));
  }

  /// A late receipt about an old version tells nothing new: agents do not go back.
  private static void applied(
      Receipt receipt, Map<SystemKey, SystemRow> systems, Map<SystemKey, SystemRow> applied) {
    var name = new SystemKey(receipt.agent(), receipt.system());
    SystemRow row = applied.getOrDefault(name, systems.get(name));
    if (row != null && receipt.version() > row.appliedVersion()) {
      applied.put(name, row.applied(receipt.version()));
    }
  }

  private void settleHeads(Tx tx, List<Told> told, List<HeadRow> heads) {
    Set<Addressee> by =
        told.stream()
            .map(Told::receipt)
            .filter(receipt -> receipt.outcome() instanceof Receipt.Applied)
            .map(receipt -> new Addressee(receipt.agent(), receipt.generation()))
            .collect(Collectors.toSet());
    List<HeadRow> open =
        heads.stream()
            .filter(head -> by.contains(new Addressee(head.agent(), head.generation())))
            .filter(head -> !head.applied())
            .toList();
    if (open.isEmpty()) {
      return;
    }
    Set<String> unapplied = table.unapplied(tx, open);
    List<HeadRow> done =
        open.stream()
            .filter(head -> !unapplied.contains(head.agent()))
            .map(HeadRow::allApplied)
            .toList();
    if (!done.isEmpty()) {
      table.updateApplied(tx, done);
    }
  }

  private static ReceiptRow row(Told told, Instant now) {
    Receipt receipt = told.receipt();
    Optional<Refused> refused = refusal(receipt);
    return new ReceiptRow(
        receipt.agent(),
        receipt.system(),
        receipt.version(),
        refused.isPresent() ? "refused" : "applied",
        refused.map(it -> it.reason().text()),
        refused.map(Refused::detail),
        told.document().sha256(),
        now.truncatedTo(ChronoUnit.MILLIS));
  }

  private static Optional<Refused> refusal(Receipt receipt) {
    return receipt.outcome() instanceof Refused refused ? Optional.of(refused) : Optional.empty();
  }

  private void audit(Tx tx, Told told) {
    Receipt receipt = told.receipt();
    var what = new LinkedHashMap<String, Object>();
    what.put("version", receipt.version());
    what.put("header_sha256", receipt.headerSha256().base64Url());
    what.put("receipt_sha256", told.document().sha256().base64Url());
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
