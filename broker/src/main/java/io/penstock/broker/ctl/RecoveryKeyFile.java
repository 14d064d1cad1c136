package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.PassphraseKey;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SecretBox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;

/// The private half of the owner's recovery key on disk:
/// ```
/// {"format": 1, "kind": "penstock-recovery-key", "sha256": of the public key,
///  "argon2id": {"salt", "memory_kib", "passes", "lanes"}, "sealed": nonce, seed and tag}
/// ```
/// A [SecretBox] under a [PassphraseKey]; its context is a label and the public key's hash. The
/// hash stands in the clear, so that one can tell which key a file is without its passphrase.
///
/// @param sha256 of the public key
record RecoveryKeyFile(Path file, Octets sha256, PassphraseKey passphraseKey, Octets sealed) {
  private static final int FORMAT = 1;
  private static final String KIND = "penstock-recovery-key";
  private static final byte[] LABEL =
      "penstock recovery key v1".getBytes(StandardCharsets.US_ASCII);
  private static final int MAX_FILE_BYTES = 16 * 1024;

  static Path publicPart(Path file) {
    return file.resolveSibling(file.getFileName() + ".pub");
  }

  /// Before anybody types a passphrase.
  static void requireNone(Path file) {
    for (Path part : new Path[] {file, publicPart(file)}) {
      if (Files.exists(part)) {
        throw Failure.failed(part + " exists, and a key is never overwritten");
      }
    }
  }

  /// Makes a key, and writes it to `file` and its public half beside it; both are on disk when it
  /// returns.
  static RecoveryPublicKey create(Path file, byte[] passphrase, SecureRandom random) {
    SealingKey key = Hpke.generate(random);
    var shown = new RecoveryPublicKey(key.publicKey());
    byte[] content = sealed(file, key, passphrase, random).toFile();
    try {
      PrivateFiles.create(file, content);
      PrivateFiles.create(publicPart(file), shown.toFile());
    } catch (FileAlreadyExistsException e) {
      throw Failure.failed(e.getFile() + " exists, and a key is never overwritten");
    } catch (IOException e) {
      throw Failure.failed("cannot write " + file + ": " + e.getMessage());
    }
    return shown;
  }

  private static RecoveryKeyFile sealed(
      Path file, SealingKey key, byte[] passphrase, SecureRandom random) {
    Octets sha256 = SealedSecrets.recipientOf(key.publicKey());
    PassphraseKey passphraseKey = PassphraseKey.fresh(random);
    byte[] seed = key.seed();
    try {
      byte[] sealed =
          SecretBox.seal(passphraseKey.derive(passphrase), context(sha256), seed, random);
      return new RecoveryKeyFile(file, sha256, passphraseKey, Octets.of(sealed));
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }

  private static byte[] context(Octets sha256) {
    byte[] context = Arrays.copyOf(LABEL, LABEL.length + sha256.length());
    System.arraycopy(sha256.bytes(), 0, context, LABEL.length, sha256.length());
    return context;
  }

  private byte[] toFile() {
    ObjectNode content =
        Json.object().put("format", FORMAT).put("kind", KIND).put("sha256", sha256.base64Url());
    content
        .putObject("argon2id")
        .put("salt", passphraseKey.salt().base64Url())
        .put("memory_kib", passphraseKey.memoryKib())
        .put("passes", passphraseKey.passes())
        .put("lanes", passphraseKey.lanes());
    content.put("sealed", sealed.base64Url());
    return (Json.pretty(content) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  static RecoveryKeyFile of(Path file) {
    JsonNode content =
        RecoveryPublicKey.read(file, MAX_FILE_BYTES)
            .filter(json -> json.path("kind").asText().equals(KIND))
            .filter(json -> json.path("format").asInt() == FORMAT)
            .orElseThrow(
                () -> Failure.failed(file + ": expected a recovery key of format 1, found none"));
    JsonNode argon2id = content.path("argon2id");
    try {
      return new RecoveryKeyFile(
          file,
          Octets.fromBase64Url(content.path("sha256").asText())
              .requireLength(32, "the public key's hash"),
          new PassphraseKey(
              Octets.fromBase64Url(argon2id.path("salt").asText()),
              argon2id.path("memory_kib").asInt(),
              argon2id.path("passes").asInt(),
              argon2id.path("lanes").asInt()),
          Octets.fromBase64Url(content.path("sealed").asText()));
    } catch (SealException e) {
      throw Failure.failed(file + " is damaged: " + e.getMessage());
    }
  }

  SealingKey open(byte[] passphrase) {
    byte[] seed;
    try {
      seed = SecretBox.open(passphraseKey.derive(passphrase), context(sha256), sealed.bytes());
    } catch (SealException _) {
      throw Failure.failed(file + " does not open: another passphrase, or changed");
    }
    try {
      SealingKey key = SealingKey.ofSeed(seed);
      if (!SealedSecrets.recipientOf(key.publicKey()).equals(sha256)) {
        throw Failure.failed(file + " is damaged: its sha256 is another key's");
      }
      return key;
    } catch (SealException e) {
      throw Failure.failed(file + " is damaged: " + e.getMessage());
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }
}
