package io.penstock.codec.seal;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.penstock.codec.seal.Receipt.Reason;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The secret half of one configuration, as the API's `sealed` object and as the agent gets it
/// (`docs/sealed-configuration.md`, section 3): the secrets under a random key (DEK), and that key
/// wrapped to whoever may open them.
///
/// Whoever holds only this object learns the secrets' length. It is bound to its [SealedFor], not
/// to a version: the next version carries it on by naming the same hashes in its header.
///
/// @param ciphertext nonce (12), AES-256-GCM ciphertext, tag (16)
/// @param dekCommitment which DEK is the right one, checked before it is used
public record SealedSecrets(
    int format,
    Octets ciphertext,
    @JsonProperty("dek_commitment") Octets dekCommitment,
    List<Wrap> wraps) {

  public static final int FORMAT = 1;

  /// Settings and secrets of one configuration together.
  public static final int MAX_CONFIGURATION_BYTES = 1024 * 1024;

  /// An agent, a recovery key, and both again while a sealing key rotates.
  public static final int MAX_WRAPS = 4;

  private static final int OVERHEAD_BYTES = DataKey.NONCE_BYTES + DataKey.TAG_BYTES;

  /// The most that base64url and [#MAX_WRAPS] wraps make of it.
  public static final int MAX_JSON_BYTES = (MAX_CONFIGURATION_BYTES / 3 + 1) * 4 + 16 * 1024;

  public SealedSecrets {
    if (format != FORMAT) {
      throw new SealException("sealed secrets: expected format 1, found " + format);
    }
    int secrets = ciphertext.length() - OVERHEAD_BYTES;
    if (secrets < 2 || secrets > MAX_CONFIGURATION_BYTES) {
      throw new SealException(
          "sealed secrets: expected 2 to " + MAX_CONFIGURATION_BYTES + " bytes, found " + secrets);
    }
    dekCommitment.requireLength(DataKey.COMMITMENT_BYTES, "a DEK commitment");
    wraps = List.copyOf(wraps);
    long recipients = wraps.stream().map(Wrap::recipient).distinct().count();
    if (wraps.isEmpty() || wraps.size() > MAX_WRAPS || recipients != wraps.size()) {
      throw new SealException(
          "sealed secrets: expected wraps to 1 to "
              + MAX_WRAPS
              + " recipients, found "
              + wraps.size()
              + " to "
              + recipients);
    }
  }

  /// The DEK for one recipient.
  ///
  /// @param recipient SHA-256 of its sealing public key
  /// @param sealed an [Hpke] seal of the 32-byte DEK
  public record Wrap(Octets recipient, Octets sealed) {
    private static final int SEALED_BYTES =
        1 + Hpke.ENCAPSULATED_BYTES + DataKey.BYTES + Hpke.TAG_BYTES;

    public Wrap {
      recipient.requireLength(32, "a wrap's recipient");
      sealed.requireLength(SEALED_BYTES, "a wrap");
    }
  }

  /// What [#open] found.
  public sealed interface Opening {
    /// The secrets; whoever opened them closes this, which wipes the bytes.
    record Opened(byte[] secretsJson) implements Opening, AutoCloseable {
      @Override
      public void close() {
        Arrays.fill(secretsJson, (byte) 0);
      }

      @Override
      public String toString() {
        return "Opened[secret]";
      }
    }

    /// @param reason UNOPENABLE or COMMITMENT_MISMATCH
    record Refused(Reason reason, String detail) implements Opening {}
  }

  /// @param secretsJson a JSON object in UTF-8; the caller wipes it
  /// @param recovery public key that may open it too, if the owner wants one
  public static SealedSecrets seal(
      byte[] secretsJson,
      SealedFor owner,
      Octets sealingPublic,
      Optional<Octets> recovery,
      SecureRandom random) {
    byte[] nonce = new byte[DataKey.NONCE_BYTES];
    random.nextBytes(nonce);
    try (DataKey dek = DataKey.generate(random)) {
      return seal(secretsJson, owner, sealingPublic, recovery, dek, nonce);
    }
  }

  static SealedSecrets seal(
      byte[] secretsJson,
      SealedFor owner,
      Octets sealingPublic,
      Optional<Octets> recovery,
      DataKey dek,
      byte[] nonce) {
    if (secretsJson.length > MAX_CONFIGURATION_BYTES || !isJsonObject(secretsJson)) {
      throw new SealException(
          "secrets: expected a JSON object of at most "
              + MAX_CONFIGURATION_BYTES
              + " bytes, found "
              + secretsJson.length
              + " bytes");
    }
    Octets commitment = dek.commitment();
    byte[] wrapContext = owner.wrapContext(commitment);
    var wraps = new ArrayList<Wrap>();
    wraps.add(wrap(dek, sealingPublic, wrapContext));
    recovery.ifPresent(key -> wraps.add(wrap(dek, key, wrapContext)));
    byte[] ciphertext = dek.encrypt(nonce, owner.secretsContext(), secretsJson);
    return new SealedSecrets(FORMAT, Octets.of(ciphertext), commitment, wraps);
  }

  private static Wrap wrap(DataKey dek, Octets sealingPublic, byte[] context) {
    return new Wrap(recipientOf(sealingPublic), Octets.of(dek.wrapTo(sealingPublic, context)));
  }

  /// The key id that names a recipient.
  public static Octets recipientOf(Octets sealingPublic) {
    return Octets.sha256(sealingPublic.bytes());
  }

  /// Checks in this order: a wrap for `key`, that it opens for `owner`, the commitment, the
  /// ciphertext, and that it holds a JSON object.
  public Opening open(SealingKey key, SealedFor owner) {
    Optional<DataKey> unwrapped = unwrap(key, owner);
    if (unwrapped.isEmpty()) {
      return unopenable(
          "no wrap opens with this key for this agent, generation, system and destination");
    }
    try (DataKey dek = unwrapped.get()) {
      if (!dek.commitment().equals(dekCommitment)) {
        return new Opening.Refused(
            Reason.COMMITMENT_MISMATCH, "the wrapped key is not the one committed to");
      }
      Optional<byte[]> secrets = dek.decrypt(owner.secretsContext(), ciphertext.bytes());
      if (secrets.isEmpty()) {
        return unopenable("the secrets do not open with their key");
      }
      return opened(secrets.get());
    }
  }

  /// The same with whichever of an agent's keys, newest first, a wrap is for.
  public Opening open(List<SealingKey> keys, SealedFor owner) {
    return keyFor(keys)
        .map(key -> open(key, owner))
        .orElseGet(() -> unopenable("no wrap is for a key of this agent"));
  }

  /// The wrap to one recipient.
  public Optional<Wrap> wrapFor(Octets sealingPublic) {
    Octets recipient = recipientOf(sealingPublic);
    return wraps.stream().filter(wrap -> wrap.recipient().equals(recipient)).findFirst();
  }

  /// The first of `keys` that a wrap is for.
  public Optional<SealingKey> keyFor(List<SealingKey> keys) {
    return keys.stream().filter(key -> isFor(key.publicKey())).findFirst();
  }

  private static Opening opened(byte[] secrets) {
    if (isJsonObject(secrets)) {
      return new Opening.Opened(secrets);
    }
    Arrays.fill(secrets, (byte) 0);
    return unopenable("the secrets are not a JSON object");
  }

  private static Opening unopenable(String detail) {
    return new Opening.Refused(Reason.UNOPENABLE, detail);
  }

  private Optional<DataKey> unwrap(SealingKey key, SealedFor owner) {
    Octets recipient = recipientOf(key.publicKey());
    byte[] context = owner.wrapContext(dekCommitment);
    try {
      return wraps.stream()
          .filter(wrap -> wrap.recipient().equals(recipient))
          .findFirst()
          .map(wrap -> DataKey.owning(Hpke.open(key, context, wrap.sealed().bytes())));
    } catch (SealException _) {
      // Whose fault it was is not to be told apart: another key, owner, commitment or byte.
      return Optional.empty();
    }
  }

  /// The same secrets for another key of the same owner, when a sealing key rotates: `key`'s wrap
  /// is replaced, ciphertext, commitment and all other wraps stay, and so does the signed header.
  /// Throws [SealException] when `key` does not open it.
  public SealedSecrets rewrap(SealingKey key, SealedFor owner, Octets nextSealingPublic) {
    DataKey unwrapped =
        unwrap(key, owner)
            .orElseThrow(() -> new SealException("no wrap opens with the key to be replaced"));
    try (DataKey dek = unwrapped) {
      if (!dek.commitment().equals(dekCommitment)) {
        throw new SealException("the wrapped key is not the one committed to");
      }
      return rewrapped(
          recipientOf(key.publicKey()),
          wrap(dek, nextSealingPublic, owner.wrapContext(dekCommitment)));
    }
  }

  /// The same secrets with `next` in place of the wrap to `replaced`, which nobody without the DEK
  /// can check: an agent that sends nonsense shuts out only itself. Throws [SealException] when
  /// there is no such wrap.
  public SealedSecrets rewrapped(Octets replaced, Wrap next) {
    if (wraps.stream().noneMatch(wrap -> wrap.recipient().equals(replaced))) {
      throw new SealException("sealed secrets: expected a wrap to the key to be replaced");
    }
    List<Wrap> all =
        wraps.stream().map(wrap -> wrap.recipient().equals(replaced) ? next : wrap).toList();
    return new SealedSecrets(format, ciphertext, dekCommitment, all);
  }

  /// What the signed header says of it.
  public ConfigurationHeader.SecretsHashes hashes() {
    return new ConfigurationHeader.SecretsHashes(Octets.sha256(ciphertext.bytes()), dekCommitment);
  }

  /// How many bytes of secrets JSON are inside.
  public int secretsLength() {
    return ciphertext.length() - OVERHEAD_BYTES;
  }

  public boolean isFor(Octets sealingPublic) {
    return wrapFor(sealingPublic).isPresent();
  }

  public byte[] toJson() {
    try {
      return SignedDocument.JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("octets and lists are JSON", e);
    }
  }

  /// Throws [SealException] for everything else.
  public static SealedSecrets fromJson(byte[] json) {
    if (json.length > MAX_JSON_BYTES) {
      throw new SealException(
          "sealed secrets: expected at most " + MAX_JSON_BYTES + " bytes, found " + json.length);
    }
    try {
      SealedSecrets sealed = SignedDocument.JSON.readValue(json, SealedSecrets.class);
      if (sealed != null) {
        return sealed;
      }
    } catch (IOException | RuntimeException _) {
      // Jackson quotes its input: only our own words leave.
    }
    throw new SealException("sealed secrets of another shape");
  }

  /// Walks the tokens and keeps none of their values.
  private static boolean isJsonObject(byte[] json) {
    try (JsonParser tokens = SignedDocument.JSON.createParser(json)) {
      if (tokens.nextToken() != JsonToken.START_OBJECT) {
        return false;
      }
      tokens.skipChildren();
      return tokens.currentToken() == JsonToken.END_OBJECT && tokens.nextToken() == null;
    } catch (IOException _) {
      return false;
    }
  }

  @Override
  public String toString() {
    return "SealedSecrets["
        + secretsLength()
        + " bytes, commitment "
        + dekCommitment
        + ", "
        + wraps.size()
        + " wraps]";
  }
}
