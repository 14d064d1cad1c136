package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.OptBoolean;
import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What an agent's systems are now, signed by the keyset's configuration key
/// (`docs/sealed-configuration.md`, section 4). It gives freshness: a document that the newest head
/// does not list is not applied, however well it is signed.
///
/// @param incarnation rises only when the cloud is restored from a backup
/// @param sequence rises with every change and every signing, within an incarnation
/// @param systems by name, sorted
public record HeadManifest(
    String agent,
    long generation,
    long incarnation,
    long sequence,
    @JsonProperty("issued_at") long issuedAtEpochSeconds,
    @JsonProperty("expires_at") long expiresAtEpochSeconds,
    SortedMap<String, Entry> systems) {

  public static final int MAX_SYSTEMS = 1_000;

  public HeadManifest {
    Names.require(agent, "agent");
    Names.requireFromOne(generation, "generation");
    Names.requireFromOne(incarnation, "incarnation");
    Names.requireFromOne(sequence, "sequence");
    if (issuedAtEpochSeconds >= expiresAtEpochSeconds) {
      throw new SealException("a head manifest that expires before it is issued");
    }
    if (systems.size() > MAX_SYSTEMS) {
      throw new SealException(
          "a head manifest lists at most " + MAX_SYSTEMS + " systems, found " + systems.size());
    }
    systems = Collections.unmodifiableSortedMap(new TreeMap<>(systems));
    systems.keySet().forEach(system -> Names.require(system, "system"));
  }

  /// The newest word about one system.
  public sealed interface Entry {
    long version();

    /// How floors and receipts name it.
    HeldVersion held();

    /// In JSON an entry has either `header_sha256` or `"tombstone": true`.
    @JsonCreator
    static Entry of(
        @JsonProperty("version") long version,
        @JsonProperty(value = "header_sha256", isRequired = OptBoolean.FALSE)
            @Nullable Octets headerSha256,
        @JsonProperty(value = "tombstone", isRequired = OptBoolean.FALSE)
            @Nullable Boolean tombstone) {
      if (headerSha256 != null && tombstone == null) {
        return new Listed(version, headerSha256);
      }
      if (headerSha256 == null && tombstone != null) {
        return new Tombstone(version, tombstone);
      }
      throw new SealException("a head's entry has either a header's hash or a tombstone");
    }
  }

  public record Listed(long version, @JsonProperty("header_sha256") Octets headerSha256)
      implements Entry {
    public Listed {
      Names.requireFromOne(version, "version");
      headerSha256.requireLength(32, "a header's hash");
    }

    @Override
    public HeldVersion held() {
      return new HeldVersion(version, headerSha256);
    }
  }

  /// The system is removed; `version` is above that of every document it ever had.
  ///
  /// @param tombstone always true
  public record Tombstone(long version, boolean tombstone) implements Entry {
    public Tombstone {
      Names.requireFromOne(version, "version");
      if (!tombstone) {
        throw new SealException("a tombstone that says it is none");
      }
    }

    public static Tombstone at(long version) {
      return new Tombstone(version, true);
    }

    /// It has no header, so its hash is all zero.
    @Override
    public HeldVersion held() {
      return new HeldVersion(version, ConfigurationHeader.NOTHING_BEFORE);
    }
  }

  public boolean isExpiredAt(Instant now) {
    return now.getEpochSecond() >= expiresAtEpochSeconds;
  }

  /// Is this an older word than the one with these counters? The same counters are not older.
  public boolean isOlderThan(long otherIncarnation, long otherSequence) {
    return incarnation < otherIncarnation
        || (incarnation == otherIncarnation && sequence < otherSequence);
  }

  /// The version an agent should run; empty for a system that is not listed or a tombstone.
  public Optional<HeldVersion> listed(String system) {
    return systems.get(system) instanceof Listed entry
        ? Optional.of(entry.held())
        : Optional.empty();
  }

  /// The [StateDigest] of an agent that has applied all of it.
  public Octets stateDigest() {
    var held = new TreeMap<String, HeldVersion>();
    systems.forEach(
        (system, entry) -> {
          if (entry instanceof Listed listed) {
            held.put(system, listed.held());
          }
        });
    return StateDigest.of(held);
  }

  public String sign(SigningKey configurationKey) {
    return SignedDocument.sign(
        DocumentType.HEAD_MANIFEST,
        configurationKey.verifyingKey().keyId(KeyUse.CONFIGURATION.text()),
        configurationKey,
        this);
  }

  /// Says nothing about time, agent or counters: the caller knows what it expects.
  public static HeadManifest verify(String jws, Keyset keyset) {
    return SignedDocument.verify(
        jws, DocumentType.HEAD_MANIFEST, keyset.keysFor(KeyUse.CONFIGURATION), HeadManifest.class);
  }
}
