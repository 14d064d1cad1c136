package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.penstock.broker.systems.SystemOperations.Made;
import io.penstock.broker.systems.SystemOperations.Queued;
import io.penstock.codec.seal.AgentRecord;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/// The changes of systems as parts of somebody else's transaction, and what they build on. A
/// refusal is thrown as [RefusedException], and [Systems] makes a result of it.
public final class SystemChanges {
  /// Names of what a change builds on.
  public static final String VERSION = "version";

  public static final String DEPLOYED_VERSION = "deployed_version";
  private static final String GENERATION = "generation";
  private static final String REMOVED_VERSION = "removed_version";
  private static final String HEADER_SHA256 = "header_sha256";
  private static final byte[] NOTHING = {};

  private final SystemTable table;
  private final Versions versions;
  private final Standing standing;
  private final Editing editing;
  private final Deployment deployment;

  SystemChanges(
      SystemTable table,
      Versions versions,
      Standing standing,
      Editing editing,
      Deployment deployment) {
    this.table = table;
    this.versions = versions;
    this.standing = standing;
    this.editing = editing;
    this.deployment = deployment;
  }

  public Made put(Tx tx, String agent, String system, Edit edit, Actor by) {
    return editing.put(tx, agent, system, edit, by);
  }

  public Made rollback(Tx tx, String agent, String system, long version, Actor by) {
    return editing.rollback(tx, agent, system, version, by);
  }

  public Queued deploy(Tx tx, String agent, String system, OptionalLong version, Actor by) {
    return deployment.deploy(tx, agent, system, version, by);
  }

  public Queued delete(Tx tx, String agent, String system, Actor by) {
    return deployment.delete(tx, agent, system, by);
  }

  /// What an edit, a rollback or a removal builds on. Nobody else changes it until the transaction
  /// ends.
  public Map<String, String> baseOfEdit(Tx tx, String agent, String system) {
    AgentRecord approved = standing.lockApproved(tx, agent);
    Optional<SystemRow> row = table.find(tx, agent, system);
    SortedMap<String, String> base = base(approved, row);
    base.put(VERSION, text(row.map(SystemRow::version)));
    return base;
  }

  /// What a deployment builds on; a version that was made since does not matter to it.
  ///
  /// @param wanted empty = the newest, which stands in the answer by its number
  public Map<String, String> baseOfDeployment(
      Tx tx, String agent, String system, OptionalLong wanted) {
    AgentRecord approved = standing.lockApproved(tx, agent);
    SystemRow row = table.find(tx, agent, system).orElseThrow(Standing::unknownSystem);
    long number = wanted.orElse(row.version());
    SystemVersion version =
        table.version(tx, agent, system, number).orElseThrow(() -> Standing.unknownVersion(number));
    SortedMap<String, String> base = base(approved, Optional.of(row));
    base.put(VERSION, Long.toString(number));
    base.put(HEADER_SHA256, version.headerSha256().base64Url());
    return base;
  }

  private static SortedMap<String, String> base(AgentRecord approved, Optional<SystemRow> row) {
    var base = new TreeMap<String, String>();
    base.put(GENERATION, Long.toString(approved.generation()));
    base.put(DEPLOYED_VERSION, text(row.map(SystemRow::deployedVersion)));
    base.put(REMOVED_VERSION, text(row.map(SystemRow::removedVersion)));
    return base;
  }

  private static String text(Optional<Long> number) {
    return Long.toString(number.orElse(0L));
  }

  /// What is in force, or newest, by the base of a change; 0 where a removal was the last word.
  ///
  /// @param name [#VERSION] or [#DEPLOYED_VERSION]
  public static long versionOf(Map<String, String> base, String name) {
    long version = Long.parseLong(base.getOrDefault(name, "0"));
    return version == Long.parseLong(base.getOrDefault(REMOVED_VERSION, "0")) ? 0 : version;
  }

  /// By JSON pointer.
  ///
  /// @param from 0 = nothing
  /// @param to 0 = nothing
  public SortedMap<String, SettingsDiff.Change> diff(
      Tx tx, String agent, String system, long from, long to) {
    return SettingsDiff.of(settings(tx, agent, system, from), settings(tx, agent, system, to));
  }

  /// The same with settings that are no version yet.
  public SortedMap<String, SettingsDiff.Change> diff(
      Tx tx, String agent, String system, long from, byte[] to) {
    return SettingsDiff.of(settings(tx, agent, system, from), to);
  }

  private byte[] settings(Tx tx, String agent, String system, long version) {
    if (version == 0) {
      return NOTHING;
    }
    return table
        .version(tx, agent, system, version)
        .map(row -> versions.open(tx, row).settings())
        .orElseThrow(() -> Standing.unknownVersion(version));
  }
}
