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
import java.util.ArrayList;
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
    Set<String> refused = refused(tx, rows, newest);
    return rows.stream()
        .map(
            row ->
                view(
                    row,
                    Optional.ofNullable(newest.get(row.system())),
                    Optional.ofNullable(last.get(row.system())),
                    drifts(row, generation, refused.contains(row.system())),
                    underWay))
        .toList();
  }

  /// Systems whose agent said last that it does not run what is deployed.
  private Set<String> refused(Tx tx, List<SystemRow> rows, Map<String, SystemVersion> newest) {
    var deployed = new ArrayList<SystemVersion>();
    var older = new ArrayList<VersionKey>();
    for (SystemRow row : rows) {
      SystemVersion version = newest.get(row.system());
      if (version != null && version.version() == row.deployedVersion()) {
        deployed.add(version);
      } else if (row.deployedVersion() > 0) {
        older.add(new VersionKey(row.agent(), row.system(), row.deployedVersion()));
      }
    }
    if (!older.isEmpty()) {
      deployed.addAll(table.versions(tx, older));
    }
    return deployed.stream()
        .filter(version -> version.state() == State.REFUSED)
        .map(SystemVersion::system)
        .collect(Collectors.toSet());
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
            drifts(
                row,
                generation,
                refused(tx, List.of(row), Map.of(system, newest.row())).contains(system)),
            table.underWay(tx, agent)),
        text(newest),
        newest.row().secretNames(),
        newest.recipients());
  }

  List<VersionView> versions(Tx tx, String agent, String system, long before, int limit) {
    requireSystem(tx, agent, system);
    Set<String> underWay = table.underWay(tx, agent);
    return table.versions(tx, agent, system, before, limit).stream()
        .map(
            row ->
                view(
                    row,
                    Optional.empty(),
                    Optional.empty(),
                    receipts.find(tx, agent, system, row.version()),
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
      Optional<ReceiptRow> receipt,
      boolean drifts,
      Set<String> underWay) {
    return new SystemView(
        row.system(),
        row.plugin(),
        row.version(),
        row.deployedVersion(),
        row.appliedVersion(),
        row.removed()
            ? "removed"
            : newest.map(version -> state(version, underWay)).orElse("sealed"),
        drifts,
        receipt.map(Catalog::view),
        row.updatedBy(),
        row.updatedAt());
  }

  /// @param refused an agent that applied a version may refuse it at its next start
  private static boolean drifts(SystemRow row, OptionalLong generation, boolean refused) {
    boolean otherGeneration =
        generation.isPresent() && generation.getAsLong() != row.deployedGeneration();
    return row.deployedVersion() > 0
        && (row.deployedVersion() != row.appliedVersion() || otherGeneration || refused);
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
        state(row, underWay),
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
  private static String state(SystemVersion version, Set<String> underWay) {
    if (version.state() == State.BUFFERED && underWay.contains(version.system())) {
      return "delivered";
    }
    return version.state().name().toLowerCase(Locale.ROOT);
  }

  private static String text(Opened opened) {
    return new String(opened.settings(), StandardCharsets.UTF_8);
  }
}
