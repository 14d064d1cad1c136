package io.penstock.broker.systems;

import io.penstock.broker.agents.ApprovedAgents.Found;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.ReceiptRow;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemTable.HeadCounters;
import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.SystemVersion.State;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemOperations.Detailed;
import io.penstock.broker.systems.SystemOperations.Progress;
import io.penstock.broker.systems.SystemOperations.Proof;
import io.penstock.broker.systems.SystemOperations.ReceiptView;
import io.penstock.broker.systems.SystemOperations.Recipient;
import io.penstock.broker.systems.SystemOperations.SealedView;
import io.penstock.broker.systems.SystemOperations.SealingKeyView;
import io.penstock.broker.systems.SystemOperations.SystemView;
import io.penstock.broker.systems.SystemOperations.VersionView;
import io.penstock.broker.systems.Versions.Opened;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// What there is, for looking.
final class Catalog {
  private final SystemTable table;
  private final ReceiptTable receipts;
  private final Versions versions;
  private final Standing standing;
  private final BrokerKeys keys;

  Catalog(
      SystemTable table,
      ReceiptTable receipts,
      Versions versions,
      Standing standing,
      BrokerKeys keys) {
    this.table = table;
    this.receipts = receipts;
    this.versions = versions;
    this.standing = standing;
    this.keys = keys;
  }

  SealingKeyView sealingKey(Tx tx, String agent) {
    Found.Approved approved = standing.requireApproved(tx, agent);
    return new SealingKeyView(approved.agentRecord(), approved.jws(), proof());
  }

  private Proof proof() {
    BrokerKeys.Owner owner = keys.owner();
    return new Proof(owner.keysetJws(), owner.root().octets(), owner.rootLinks());
  }

  /// Of any agent there is: it may be gone, and that is when somebody asks.
  SealedView sealed(Tx tx, String agent, String system, long version) {
    requireSystem(tx, agent, system);
    Opened opened = open(tx, agent, system, version);
    byte[] sealed =
        opened
            .sealed()
            .orElseThrow(
                () ->
                    Refusal.of(
                        Refusal.Reason.NO_SECRETS,
                        "version " + version + " has no secrets: expected some, found none"));
    return new SealedView(
        opened.row().headerJws(), text(opened), sealed, opened.row().secretNames(), proof());
  }

  List<SystemView> list(Tx tx, String agent) {
    OptionalLong generation = generation(standing.requireKnown(tx, agent));
    Map<String, SystemVersion> newest =
        table.newestOfEach(tx, agent).stream()
            .collect(Collectors.toMap(SystemVersion::system, Function.identity()));
    Set<String> underWay = table.underWay(tx, agent);
    Map<String, ReceiptRow> last =
        receipts.lastOfEach(tx, agent).stream()
            .collect(Collectors.toMap(ReceiptRow::system, Function.identity()));
    List<SystemRow> rows =
        table.list(tx, agent).stream()
            .filter(row -> !(row.removed() && row.appliedVersion() == row.removedVersion()))
            .toList();
    Map<VersionKey, ReceiptRow> told = told(tx, rows, newest.values());
    return rows.stream()
        .map(
            row ->
                view(
                    row,
                    Optional.ofNullable(newest.get(row.system())),
                    Optional.ofNullable(last.get(row.system())),
                    told,
                    generation,
                    underWay))
        .toList();
  }

  /// What the agent said of what is deployed, and of the newest versions.
  private Map<VersionKey, ReceiptRow> told(
      Tx tx, List<SystemRow> rows, Collection<SystemVersion> newest) {
    var keys = new HashSet<VersionKey>();
    rows.forEach(row -> keys.add(row.deployed()));
    newest.forEach(version -> keys.add(version.key()));
    return receipts.of(tx, keys);
  }

  Detailed show(Tx tx, String agent, String system) {
    OptionalLong generation = generation(standing.requireKnown(tx, agent));
    SystemRow row = table.find(tx, agent, system).orElseThrow(Standing::unknownSystem);
    Opened newest =
        table
            .newest(tx, agent, system)
            .map(version -> versions.open(tx, version))
            .orElseThrow(Standing::unknownSystem);
    return new Detailed(
        view(
            row,
            Optional.of(newest.row()),
            receipts.last(tx, agent, system),
            told(tx, List.of(row), List.of(newest.row())),
            generation,
            table.underWay(tx, agent)),
        text(newest),
        newest.row().secretNames(),
        newest.recipients());
  }

  List<VersionView> versions(Tx tx, String agent, String system, long before, int limit) {
    requireSystem(tx, agent, system);
    Set<String> underWay = table.underWay(tx, agent);
    List<SystemVersion> rows = table.versions(tx, agent, system, before, limit);
    Map<VersionKey, ReceiptRow> told =
        receipts.of(tx, rows.stream().map(SystemVersion::key).toList());
    return rows.stream()
        .map(
            row ->
                view(
                    row,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.ofNullable(told.get(row.key())),
                    underWay))
        .toList();
  }

  VersionView version(Tx tx, String agent, String system, long version) {
    requireSystem(tx, agent, system);
    Opened opened = open(tx, agent, system, version);
    return view(
        opened.row(),
        Optional.of(text(opened)),
        Optional.of(opened.recipients()),
        receipts.find(tx, agent, system, version),
        table.underWay(tx, agent));
  }

  SortedMap<String, SettingsDiff.Change> diff(
      Tx tx, String agent, String system, long from, long to) {
    requireSystem(tx, agent, system);
    return SettingsDiff.of(
        open(tx, agent, system, from).settings(), open(tx, agent, system, to).settings());
  }

  private Opened open(Tx tx, String agent, String system, long version) {
    return table
        .version(tx, agent, system, version)
        .map(row -> versions.open(tx, row))
        .orElseThrow(() -> Standing.unknownVersion(version));
  }

  Map<String, Progress> progress(Tx tx) {
    return table.headCounters(tx).stream()
        .collect(
            Collectors.toMap(
                HeadCounters::agent, row -> new Progress(row.sequence(), row.appliedSequence())));
  }

  private void requireSystem(Tx tx, String agent, String system) {
    standing.requireKnown(tx, agent);
    if (table.find(tx, agent, system).isEmpty()) {
      throw Standing.unknownSystem();
    }
  }

  private static OptionalLong generation(Found found) {
    return found instanceof Found.Approved it
        ? OptionalLong.of(it.agentRecord().generation())
        : OptionalLong.empty();
  }

  private static SystemView view(
      SystemRow row,
      Optional<SystemVersion> newest,
      Optional<ReceiptRow> last,
      Map<VersionKey, ReceiptRow> told,
      OptionalLong generation,
      Set<String> underWay) {
    return new SystemView(
        row.system(),
        row.plugin(),
        row.version(),
        row.deployedVersion(),
        row.appliedVersion(),
        row.removed()
            ? "removed"
            : newest
                .map(
                    version ->
                        state(version, Optional.ofNullable(told.get(version.key())), underWay))
                .orElse("sealed"),
        drifts(row, generation, Optional.ofNullable(told.get(row.deployed()))),
        last.map(Catalog::view),
        row.updatedBy(),
        row.updatedAt());
  }

  /// @param told of what is deployed: an agent that applied it may refuse it at its next start
  private static boolean drifts(SystemRow row, OptionalLong generation, Optional<ReceiptRow> told) {
    boolean otherGeneration =
        generation.isPresent() && generation.getAsLong() != row.deployedGeneration();
    return row.deployedVersion() > 0
        && (row.deployedVersion() != row.appliedVersion()
            || otherGeneration
            || told.filter(ReceiptRow::refused).isPresent());
  }

  private static VersionView view(
      SystemVersion row,
      Optional<String> settings,
      Optional<List<Recipient>> recipients,
      Optional<ReceiptRow> receipt,
      Set<String> underWay) {
    return new VersionView(
        row.version(),
        row.generation(),
        row.plugin(),
        state(row, receipt, underWay),
        row.headerJws(),
        row.headerSha256(),
        settings,
        row.secretNames(),
        recipients,
        row.author(),
        row.createdAt(),
        receipt.map(Catalog::view));
  }

  private static ReceiptView view(ReceiptRow row) {
    return new ReceiptView(
        row.version(), row.outcome(), row.reason(), row.detail(), row.receivedAt());
  }

  /// Of a system at most one version is on its way: a newer message takes the older one's place.
  private static String state(
      SystemVersion version, Optional<ReceiptRow> receipt, Set<String> underWay) {
    if (receipt.isPresent()) {
      return receipt.get().outcome();
    }
    return version.state() == State.BUFFERED && underWay.contains(version.system())
        ? "delivered"
        : version.state().name().toLowerCase(Locale.ROOT);
  }

  private static String text(Opened opened) {
    return new String(opened.settings(), StandardCharsets.UTF_8);
  }
}
