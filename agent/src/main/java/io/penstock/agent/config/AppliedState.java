package io.penstock.agent.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.agent.identity.IdentityException;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.StateDigest;
import java.io.IOException;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// What outlives the process, and is no secret: how far heads, keysets and each system have ever
/// come. Immutable.
///
/// @param keysetVersion highest that a head was verified by
/// @param incarnation of the newest head accepted; 0 = none yet
/// @param sequence of the same
/// @param systems by name; removed ones stay
record AppliedState(
    long keysetVersion, long incarnation, long sequence, SortedMap<String, Floor> systems) {
  private static final int FORMAT = 1;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  AppliedState {
    systems = Collections.unmodifiableSortedMap(new TreeMap<>(systems));
  }

  /// The highest version ever applied of one system.
  ///
  /// @param headerSha256 zeros for a tombstone
  /// @param removed it was a tombstone
  record Floor(long version, @JsonProperty("header_sha256") Octets headerSha256, boolean removed) {
    HeldVersion held() {
      return new HeldVersion(version, headerSha256);
    }
  }

  private record Outer(int format, AppliedState state) {}

  static AppliedState nothing() {
    return new AppliedState(0, 0, 0, new TreeMap<>());
  }

  Optional<HeldVersion> floor(String system) {
    return Optional.ofNullable(systems.get(system)).map(Floor::held);
  }

  AppliedState withHead(HeadManifest head, long byKeyset) {
    return new AppliedState(
        Math.max(keysetVersion, byKeyset), head.incarnation(), head.sequence(), systems);
  }

  /// Raises the floor; never lowers it.
  AppliedState with(String system, HeldVersion held, boolean removed) {
    if (floor(system).filter(floor -> floor.forbids(held)).isPresent()) {
      return this;
    }
    var next = new TreeMap<>(systems);
    next.put(system, new Floor(held.version(), held.headerSha256(), removed));
    return new AppliedState(keysetVersion, incarnation, sequence, next);
  }

  /// What `connect-request` shows (`docs/protocol.md`, section 6).
  Octets digest() {
    var held = new TreeMap<String, HeldVersion>();
    systems.forEach(
        (system, floor) -> {
          if (!floor.removed()) {
            held.put(system, floor.held());
          }
        });
    return StateDigest.of(held);
  }

  byte[] toJson() throws IOException {
    return JSON.writeValueAsBytes(new Outer(FORMAT, this));
  }

  static AppliedState fromJson(byte[] json) throws IdentityException {
    try {
      Outer outer = JSON.readValue(json, Outer.class);
      if (outer != null && outer.format() == FORMAT && outer.state() != null) {
        return outer.state();
      }
    } catch (IOException | RuntimeException _) {
      // Told below.
    }
    throw new IdentityException(
        "the state file is of a newer version: expected format "
            + FORMAT
            + "; start the version of the agent that wrote it");
  }
}
