package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.OptBoolean;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What one version of one system's configuration is, signed by the keyset's configuration key
/// (`docs/sealed-configuration.md`, section 2). Settings and secrets travel beside it and are
/// judged by the hashes in it.
///
/// @param schema SHA-256 of the plugin's JSON Schema that settings and secrets were checked against
/// @param previous hash of the header before this one; [#NOTHING_BEFORE] for the first
/// @param settingsSha256 over the very bytes of the settings JSON
/// @param secretsHashes null when the version has no secrets
/// @param author who wrote it, as the audit trail names them
public record ConfigurationHeader(
    String agent,
    long generation,
    String system,
    String plugin,
    Octets schema,
    long version,
    Octets previous,
    @JsonProperty("settings_sha256") Octets settingsSha256,
    @JsonProperty(value = "secrets", isRequired = OptBoolean.FALSE)
        @Nullable SecretsHashes secretsHashes,
    String author,
    @JsonProperty("created_at") long createdAtEpochSeconds) {

  public static final Octets NOTHING_BEFORE = Octets.of(new byte[32]);
  private static final int MAX_AUTHOR_CHARS = 256;

  public ConfigurationHeader {
    Names.require(agent, "agent");
    Names.requireFromOne(generation, "generation");
    Names.require(system, "system");
    Names.require(plugin, "plugin");
    schema.requireLength(32, "a schema's hash");
    Names.requireFromOne(version, "version");
    previous.requireLength(32, "the hash of the previous header");
    settingsSha256.requireLength(32, "the settings' hash");
    Names.requireText(author, MAX_AUTHOR_CHARS, "author");
  }

  /// @param ciphertextSha256 over nonce, ciphertext and tag
  public record SecretsHashes(
      @JsonProperty("ciphertext_sha256") Octets ciphertextSha256,
      @JsonProperty("dek_commitment") Octets dekCommitment) {
    public SecretsHashes {
      ciphertextSha256.requireLength(32, "the ciphertext's hash");
      dekCommitment.requireLength(DataKey.COMMITMENT_BYTES, "a DEK commitment");
    }
  }

  /// Empty when the version has no secrets.
  public Optional<SecretsHashes> secrets() {
    return Optional.ofNullable(secretsHashes);
  }

  /// Whose secrets these are.
  ///
  /// @param destination of the settings, by the plugin's schema
  public SealedFor owner(Destination destination) {
    return new SealedFor(agent, generation, system, destination);
  }

  /// How heads, floors, receipts and the next version name a header: SHA-256 of its compact text.
  public static Octets hashOf(String jws) {
    return Octets.sha256(jws.getBytes(StandardCharsets.US_ASCII));
  }

  public String sign(SigningKey configurationKey) {
    return SignedDocument.sign(
        DocumentType.CONFIGURATION,
        configurationKey.verifyingKey().keyId(KeyUse.CONFIGURATION.text()),
        configurationKey,
        this);
  }

  public static ConfigurationHeader verify(String jws, Keyset keyset) {
    return SignedDocument.verify(
        jws,
        DocumentType.CONFIGURATION,
        keyset.keysFor(KeyUse.CONFIGURATION),
        ConfigurationHeader.class);
  }
}
