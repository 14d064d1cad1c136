package io.penstock.broker.store;

import io.penstock.broker.store.SystemTable.SystemKey;
import io.penstock.broker.store.SystemTable.VersionKey;
import java.time.Instant;
import java.util.List;

/// One row of `systems`: what one system of an agent should be, and how far the agent has come.
///
/// @param version the highest number ever given, to a document or a tombstone
/// @param deployedVersion what the head lists or listed last; 0 = never deployed
/// @param deployedGeneration the agent's generation that it was deployed for
/// @param appliedVersion by the agent's receipts; 0 = none yet
/// @param removedVersion of the last tombstone; 0 = never removed
public record SystemRow(
    String agent,
    String system,
    String plugin,
    long version,
    long deployedVersion,
    long deployedGeneration,
    long appliedVersion,
    long removedVersion,
    String updatedBy,
    Instant updatedAt,
    long rowVersion) {

  public static SystemRow first(String agent, String system, String plugin, String by, Instant at) {
    return new SystemRow(agent, system, plugin, 1, 0, 0, 0, 0, by, at, 1);
  }

  public SystemKey key() {
    return new SystemKey(agent, system);
  }

  /// Version 0, of which there is none, when nothing was ever deployed.
  public VersionKey deployed() {
    return new VersionKey(agent, system, deployedVersion);
  }

  /// The newest word about it is its tombstone.
  public boolean removed() {
    return removedVersion > 0 && removedVersion == version;
  }

  /// @param next its number, above all before
  public SystemRow edited(String nextPlugin, long next, String by, Instant at) {
    return new SystemRow(
        agent,
        system,
        nextPlugin,
        next,
        deployedVersion,
        deployedGeneration,
        appliedVersion,
        removedVersion,
        by,
        at,
        rowVersion + 1);
  }

  public SystemRow deployed(long which, long generation, String by, Instant at) {
    return new SystemRow(
        agent,
        system,
        plugin,
        version,
        which,
        generation,
        appliedVersion,
        removedVersion,
        by,
        at,
        rowVersion + 1);
  }

  /// @param tombstone its number, above all before
  public SystemRow removed(long tombstone, long generation, String by, Instant at) {
    return new SystemRow(
        agent,
        system,
        plugin,
        tombstone,
        tombstone,
        generation,
        appliedVersion,
        tombstone,
        by,
        at,
        rowVersion + 1);
  }

  public SystemRow applied(long which) {
    return new SystemRow(
        agent,
        system,
        plugin,
        version,
        deployedVersion,
        deployedGeneration,
        which,
        removedVersion,
        updatedBy,
        updatedAt,
        rowVersion + 1);
  }

  /// What the MAC covers.
  List<String> granting() {
    return List.of(
        agent,
        system,
        Long.toString(rowVersion),
        plugin,
        Long.toString(version),
        Long.toString(deployedVersion),
        Long.toString(deployedGeneration),
        Long.toString(appliedVersion),
        Long.toString(removedVersion),
        updatedBy,
        Long.toString(updatedAt.toEpochMilli()));
  }
}
