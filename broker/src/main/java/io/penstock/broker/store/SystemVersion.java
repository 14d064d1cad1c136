package io.penstock.broker.store;

import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.codec.seal.Octets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One row of `system_versions` without its two large columns, which are read alone when they are
/// needed. Only the state changes, and the agent's wrap of the secrets after it got new keys.
///
/// @param sealedSha256 hash of the sealed secrets' JSON; empty = a version without secrets
/// @param agentRecipient key id of the wrap that is the agent's; empty without secrets, and in rows
///     from before this was noted
/// @param secretNames which secrets there are, never what they say
public record SystemVersion(
    String agent,
    String system,
    long version,
    long generation,
    String plugin,
    State state,
    String headerJws,
    Octets headerSha256,
    Optional<Octets> sealedSha256,
    Optional<Octets> agentRecipient,
    List<String> secretNames,
    String author,
    Instant createdAt,
    long rowVersion) {

  public enum State {
    /// Made, not deployed.
    SEALED,
    /// Deployed; what came of it is in its receipt, if there is one.
    BUFFERED,
    /// Of rows from before receipts alone said so.
    APPLIED,
    /// Likewise.
    REFUSED,
    /// Another version was deployed before the agent had dealt with this one.
    SUPERSEDED
  }

  public SystemVersion {
    secretNames = List.copyOf(secretNames);
  }

  public VersionKey key() {
    return new VersionKey(agent, system, version);
  }

  public SystemVersion with(State next) {
    return new SystemVersion(
        agent,
        system,
        version,
        generation,
        plugin,
        next,
        headerJws,
        headerSha256,
        sealedSha256,
        agentRecipient,
        secretNames,
        author,
        createdAt,
        rowVersion + 1);
  }

  /// Other wraps of the same secrets.
  public SystemVersion withSealed(Octets sha256, Octets recipient) {
    return new SystemVersion(
        agent,
        system,
        version,
        generation,
        plugin,
        state,
        headerJws,
        headerSha256,
        Optional.of(sha256),
        Optional.of(recipient),
        secretNames,
        author,
        createdAt,
        rowVersion + 1);
  }

  /// What the MAC covers.
  List<String> granting() {
    var fields =
        new ArrayList<>(
            List.of(
                agent,
                system,
                Long.toString(version),
                Long.toString(rowVersion),
                Long.toString(generation),
                plugin,
                state.name(),
                headerJws,
                headerSha256.hex(),
                MacText.of(sealedSha256),
                MacText.of(secretNames),
                author,
                Long.toString(createdAt.toEpochMilli())));
    // Rows from before this column keep their MAC.
    agentRecipient.ifPresent(recipient -> fields.add(recipient.hex()));
    return fields;
  }
}
