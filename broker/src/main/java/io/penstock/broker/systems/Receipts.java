package io.penstock.broker.systems;

import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.Documents.Told;
import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.ReceiptRow;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.broker.store.ReceiptTable.Put;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemTable.SystemKey;
import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Refused;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
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

  /// Answers those about systems that are not there, of which nothing was written. Of two about one
  /// version the later counts.
  ///
  /// Reads all before it writes, and locks nothing meanwhile: what somebody else changed since is
  /// locked and looked at again.
  List<Receipt> record(Tx tx, List<Told> told, Instant now) {
    var newest = new LinkedHashMap<VersionKey, Told>();
    told.forEach(one -> newest.put(key(one.receipt()), one));
    List<Told> all = List.copyOf(newest.values());
    Map<SystemKey, SystemRow> systems = new HashMap<>();
    table
        .find(tx, newest.keySet().stream().map(VersionKey::of).distinct().toList())
        .forEach(row -> systems.put(row.key(), row));
    Map<Addressee, HeadRow> heads = heads(tx, all);
    List<Told> known = all.stream().filter(one -> systems.containsKey(system(one))).toList();
    if (!known.isEmpty()) {
      Set<VersionKey> refused = refusedBefore(tx, known);
      Set<VersionKey> written = put(tx, known, now);
      written.removeAll(refused);
      // Before what looks again at rows that others changed: nothing of it is lost should one of
      // them not be ours.
      audit(tx, known.stream().filter(one -> written.contains(key(one.receipt()))).toList());
      apply(tx, known, systems);
      settle(tx, heads.values());
    }
    return all.stream()
        .filter(one -> !systems.containsKey(system(one)))
        .map(Told::receipt)
        .toList();
  }

  /// Of those who applied something.
  private Map<Addressee, HeadRow> heads(Tx tx, List<Told> told) {
    Set<Addressee> appliers =
        told.stream()
            .map(Told::receipt)
            .filter(Receipts::isApplied)
            .map(receipt -> new Addressee(receipt.agent(), receipt.generation()))
            .collect(Collectors.toSet());
    var heads = new HashMap<Addressee, HeadRow>();
    if (!appliers.isEmpty()) {
      for (HeadRow head : table.heads(tx, appliers.stream().map(Addressee::agent).toList())) {
        var of = new Addressee(head.agent(), head.generation());
        if (appliers.contains(of)) {
          heads.put(of, head);
        }
      }
    }
    return heads;
  }

  /// Versions that were refused before and are again: the reason may be another, the decision is
  /// none.
  private Set<VersionKey> refusedBefore(Tx tx, List<Told> told) {
    Set<VersionKey> refused =
        told.stream()
            .map(Told::receipt)
            .filter(receipt -> !isApplied(receipt))
            .map(Receipts::key)
            .collect(Collectors.toSet());
    return refused.isEmpty()
        ? Set.of()
        : receipts.genuine(tx, refused).values().stream()
            .filter(ReceiptRow::refused)
            .map(ReceiptRow::key)
            .collect(Collectors.toSet());
  }

  /// Answers the versions whose row is a new or another one.
  private Set<VersionKey> put(Tx tx, List<Told> told, Instant now) {
    Put put =
        receipts.put(
            tx,
            told.stream().map(one -> row(one, now)).toList(),
            told.stream().map(Told::document).distinct().toList());
    put.foreign().forEach(key -> tx.whenOver(() -> recorder.tampered(replaced(key))));
    return new HashSet<>(put.written());
  }

  private static TamperedRowException replaced(VersionKey key) {
    return new TamperedRowException(
        key.agent(),
        "the row of the receipt of "
            + key.system()
            + " version "
            + key.version()
            + " did not carry our MAC; the agent's own word has taken its place");
  }

  /// A late receipt about an old version tells nothing new: agents do not go back.
  private void apply(Tx tx, List<Told> told, Map<SystemKey, SystemRow> systems) {
    var versions = new TreeMap<SystemKey, Long>();
    told.stream()
        .filter(one -> isApplied(one.receipt()))
        .forEach(one -> versions.merge(system(one), one.receipt().version(), Math::max));
    List<SystemRow> rising = rising(versions, systems.values());
    if (rising.isEmpty()) {
      return;
    }
    Set<SystemKey> done = table.updateApplied(tx, rising);
    List<SystemKey> overtaken =
        rising.stream().map(SystemRow::key).filter(key -> !done.contains(key)).toList();
    if (!overtaken.isEmpty()) {
      List<SystemRow> again = rising(versions, table.lock(tx, overtaken));
      if (!again.isEmpty()) {
        table.updateApplied(tx, again);
      }
    }
  }

  private static List<SystemRow> rising(
      SortedMap<SystemKey, Long> versions, Collection<SystemRow> present) {
    return present.stream()
        .filter(row -> versions.getOrDefault(row.key(), 0L) > row.appliedVersion())
        .map(row -> row.applied(versions.getOrDefault(row.key(), 0L)))
        .sorted(Comparator.comparing(SystemRow::key))
        .toList();
  }

  /// Notes of heads that everything they list is applied.
  private void settle(Tx tx, Collection<HeadRow> heads) {
    List<HeadRow> done = allApplied(tx, heads);
    if (done.isEmpty()) {
      return;
    }
    Set<String> settled = table.updateApplied(tx, done);
    List<String> overtaken =
        done.stream().map(HeadRow::agent).filter(agent -> !settled.contains(agent)).toList();
    if (!overtaken.isEmpty()) {
      List<HeadRow> again = allApplied(tx, table.lockHeads(tx, overtaken));
      if (!again.isEmpty()) {
        table.updateApplied(tx, again);
      }
    }
  }

  private List<HeadRow> allApplied(Tx tx, Collection<HeadRow> heads) {
    List<HeadRow> open = heads.stream().filter(head -> !head.applied()).toList();
    if (open.isEmpty()) {
      return open;
    }
    Set<String> unapplied = table.unapplied(tx, open);
    return open.stream()
        .filter(head -> !unapplied.contains(head.agent()))
        .map(HeadRow::allApplied)
        .toList();
  }

  private static VersionKey key(Receipt receipt) {
    return new VersionKey(receipt.agent(), receipt.system(), receipt.version());
  }

  private static SystemKey system(Told told) {
    return new SystemKey(told.receipt().agent(), told.receipt().system());
  }

  private static boolean isApplied(Receipt receipt) {
    return receipt.outcome() instanceof Receipt.Applied;
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

  /// The trail has each decision once, though agents prove what runs at every start, and again
  /// after a tunnel that may have taken a receipt along. What one document says of several systems
  /// that
  /// it applied is one record of the agent.
  private void audit(Tx tx, List<Told> news) {
    Map<Octets, List<Receipt>> applied =
        news.stream()
            .filter(one -> isApplied(one.receipt()))
            .collect(
                Collectors.groupingBy(
                    one -> one.document().sha256(),
                    Collectors.mapping(Told::receipt, Collectors.toList())));
    for (Told one : news) {
      Octets document = one.document().sha256();
      if (!isApplied(one.receipt())) {
        audit(tx, one);
        continue;
      }
      List<Receipt> together = applied.remove(document);
      if (together != null && together.size() == 1) {
        audit(tx, one);
      } else if (together != null) {
        recorder.applied(tx, one.receipt().agent(), together, document);
      }
    }
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
