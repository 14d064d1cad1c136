package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// One row of `system_versions` without its two large columns, which are read alone when they are
/// needed. Only the state
/// changes, and the wraps of the secrets after an agent got new keys.
///
/// @param sealedSha256 hash of the sealed secrets' JSON; empty = a version without secrets
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
    List<String> secretNames,
    String author,
    Instant createdAt,
    long rowVersion) {

  public enum State {
    /// Made, not deployed.
    SEALED,
    /// Deployed, its receipt has not come.
    BUFFERED,
    APPLIED,
    REFUSED,
    /// Another version was deployed before the agent had dealt with this one.
    SUPERSEDED
  }

  public SystemVersion {
    secretNames = List.copyOf(secretNames);
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
        secretNames,
        author,
        createdAt,
        rowVersion + 1);
  }

  public SystemVersion withSealed(Octets sha256) {
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
        secretNames,
        author,
        createdAt,
        rowVersion + 1);
  }

  /// What the MAC covers.
  List<String> granting() {
    return List.of(
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
        Long.toString(createdAt.toEpochMilli()));
  }
}
