package io.penstock.codec.seal;

import io.penstock.codec.seal.ConfigurationHeader.SecretsHashes;
import io.penstock.codec.seal.Receipt.Reason;
import java.util.Optional;

/// Whether an agent may apply a document: every check that needs neither its keys nor its plugins,
/// in the order of `docs/sealed-configuration.md`, section 6. Opening the secrets and the schema
/// come after it.
///
/// @param agent who is asked to apply it
/// @param system which it was announced or fetched for
/// @param head the newest head the agent has accepted, already judged by its counters
/// @param floor the highest version this agent has ever applied for `system`
public record ConfigurationCheck(
    String agent,
    long generation,
    String system,
    Keyset keyset,
    HeadManifest head,
    Optional<HeldVersion> floor) {

  public sealed interface Verdict {
    /// @param sealed empty when the version has no secrets
    record Accepted(ConfigurationHeader header, Octets headerSha256, Optional<SealedSecrets> sealed)
        implements Verdict {
      public HeldVersion held() {
        return new HeldVersion(header.version(), headerSha256);
      }
    }

    record Refused(Reason reason, String detail) implements Verdict {}
  }

  /// @param headerJws the header as it came
  /// @param settings UTF-8 JSON, the very bytes
  /// @param sealed UTF-8 JSON of [SealedSecrets]; empty = none came
  public Verdict judge(String headerJws, byte[] settings, Optional<byte[]> sealed) {
    int sealedLength = sealed.map(bytes -> bytes.length).orElse(0);
    if (settings.length > SealedSecrets.MAX_CONFIGURATION_BYTES
        || sealedLength > SealedSecrets.MAX_JSON_BYTES) {
      return tooLarge((long) settings.length + sealedLength);
    }
    ConfigurationHeader header;
    try {
      header = ConfigurationHeader.verify(headerJws, keyset);
    } catch (SealException e) {
      return refused(Reason.BAD_SIGNATURE, String.valueOf(e.getMessage()));
    }
    return refusalOf(header)
        .or(() -> staleness(header, headerJws))
        .orElseGet(() -> judgeContent(header, headerJws, settings, sealed));
  }

  private Optional<Verdict> refusalOf(ConfigurationHeader header) {
    if (!header.agent().equals(agent)) {
      return Optional.of(refused(Reason.WRONG_AGENT, "the header names another agent"));
    }
    if (header.generation() != generation) {
      return Optional.of(
          refused(
              Reason.WRONG_GENERATION,
              "generation: expected " + generation + ", found " + header.generation()));
    }
    if (!header.system().equals(system)) {
      return Optional.of(refused(Reason.WRONG_SYSTEM, "the header names another system"));
    }
    return Optional.empty();
  }

  private Optional<Verdict> staleness(ConfigurationHeader header, String headerJws) {
    var offered = new HeldVersion(header.version(), ConfigurationHeader.hashOf(headerJws));
    if (floor.isPresent() && floor.get().forbids(offered)) {
      return Optional.of(
          refused(
              Reason.ROLLBACK,
              "version: expected above "
                  + floor.get().version()
                  + " or the same document, found "
                  + header.version()));
    }
    if (!head.listed(system).equals(Optional.of(offered))) {
      return Optional.of(
          refused(
              Reason.NOT_LISTED,
              "the head does not list this document of version " + header.version()));
    }
    return Optional.empty();
  }

  private static Verdict judgeContent(
      ConfigurationHeader header, String headerJws, byte[] settings, Optional<byte[]> sealedJson) {
    if (!Octets.sha256(settings).equals(header.settingsSha256())) {
      return refused(Reason.HASH_MISMATCH, "the settings are not those of the header");
    }
    if (sealedJson.isPresent() != header.secrets().isPresent()) {
      return refused(
          Reason.HASH_MISMATCH,
          "secrets: expected "
              + (header.secrets().isPresent() ? "some" : "none")
              + ", found "
              + (sealedJson.isPresent() ? "some" : "none"));
    }
    Optional<SealedSecrets> sealed;
    try {
      sealed = sealedJson.map(SealedSecrets::fromJson);
    } catch (SealException e) {
      return refused(Reason.UNOPENABLE, String.valueOf(e.getMessage()));
    }
    Optional<SecretsHashes> found = sealed.map(SealedSecrets::hashes);
    if (!found.equals(header.secrets())) {
      return refused(Reason.HASH_MISMATCH, "the secrets are not those of the header");
    }
    long total = (long) settings.length + sealed.map(SealedSecrets::secretsLength).orElse(0);
    if (total > SealedSecrets.MAX_CONFIGURATION_BYTES) {
      return tooLarge(total);
    }
    return new Verdict.Accepted(header, ConfigurationHeader.hashOf(headerJws), sealed);
  }

  private static Verdict tooLarge(long bytes) {
    return refused(
        Reason.TOO_LARGE,
        "settings and secrets: expected at most "
            + SealedSecrets.MAX_CONFIGURATION_BYTES
            + " bytes, found "
            + bytes);
  }

  private static Verdict refused(Reason reason, String detail) {
    return new Verdict.Refused(reason, detail);
  }
}
