package io.penstock.agent.identity;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.PassphraseKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import org.jspecify.annotations.Nullable;

/// How the unlock secret lies on disk. The key that seals it is derived once per process, because
/// Argon2id takes its time and the secret is written anew at every start.
public final class UnlockSeal {
  private static final byte[] CONTEXT = "penstock unlock v1".getBytes(StandardCharsets.US_ASCII);
  private static final int SALT_BYTES = 16;
  private static final int KEY_BYTES = 32;
  private static final int MIN_SECRET_BYTES = 8;
  private static final int MAX_SECRET_BYTES = 64 * 1024;

  /// Where the owner keeps what unseals.
  public sealed interface Source {
    /// Nowhere: the file's mode is all that protects it.
    record None() implements Source {}

    record Passphrase(Path file) implements Source {}

    /// A credential that systemd hands to this unit (`$CREDENTIALS_DIRECTORY`).
    record SystemdCredential(Path file) implements Source {}
  }

  /// How the secret in a file was sealed; stands in the clear in front of it.
  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = Header.Plain.class, name = "plain"),
    @JsonSubTypes.Type(value = Header.Argon2id.class, name = "argon2id"),
    @JsonSubTypes.Type(value = Header.Credential.class, name = "systemd-credential"),
  })
  sealed interface Header {
    record Plain() implements Header {}

    record Argon2id(byte[] salt, int memoryKib, int passes, int lanes) implements Header {
      // The file may be hostile: what is no parameter is refused here.
      public Argon2id {
        var _ = new PassphraseKey(Octets.of(salt), memoryKib, passes, lanes);
      }

      static Argon2id of(PassphraseKey key) {
        return new Argon2id(key.salt().bytes(), key.memoryKib(), key.passes(), key.lanes());
      }

      PassphraseKey key() {
        return new PassphraseKey(Octets.of(salt), memoryKib, passes, lanes);
      }
    }

    record Credential(byte[] salt) implements Header {}
  }

  private final Header header;
  private final @Nullable SecretKey key;

  private UnlockSeal(Header header, @Nullable SecretKey key) {
    this.header = header;
    this.key = key;
  }

  /// For an identity that has no file yet.
  static UnlockSeal fresh(Source source, SecureRandom random) throws IdentityException {
    return switch (source) {
      case Source.None _ -> new UnlockSeal(new Header.Plain(), null);
      case Source.Passphrase it -> of(Header.Argon2id.of(PassphraseKey.fresh(random)), it.file());
      case Source.SystemdCredential it -> of(new Header.Credential(salt(random)), it.file());
    };
  }

  private static byte[] salt(SecureRandom random) {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    return salt;
  }

  /// For an identity whose file says `header`.
  static UnlockSeal existing(Header header, Source source) throws IdentityException {
    return switch (header) {
      case Header.Plain it -> new UnlockSeal(it, null);
      case Header.Argon2id it when source instanceof Source.Passphrase(Path file) -> of(it, file);
      case Header.Argon2id _ ->
          throw new IdentityException("the identity needs unlock.passphrase_file");
      case Header.Credential it when source instanceof Source.SystemdCredential(Path file) ->
          of(it, file);
      case Header.Credential _ ->
          throw new IdentityException("the identity needs unlock.systemd_credential");
    };
  }

  private static UnlockSeal of(Header header, Path file) throws IdentityException {
    byte[] secret = read(file);
    try {
      return new UnlockSeal(header, derive(header, secret).orElseThrow());
    } finally {
      Arrays.fill(secret, (byte) 0);
    }
  }

  private static Optional<SecretKey> derive(Header header, byte[] secret) {
    return switch (header) {
      case Header.Plain _ -> Optional.empty();
      case Header.Argon2id it -> Optional.of(it.key().derive(secret));
      case Header.Credential it -> Optional.of(hkdf(it.salt(), secret));
    };
  }

  private static SecretKey hkdf(byte[] salt, byte[] credential) {
    try {
      return KDF.getInstance("HKDF-SHA256")
          .deriveKey(
              "AES",
              HKDFParameterSpec.ofExtract()
                  .addIKM(credential)
                  .addSalt(salt)
                  .thenExpand(CONTEXT, KEY_BYTES));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK since 25 has HKDF-SHA256", impossible);
    }
  }

  /// Line ends at the end do not count: editors add one.
  private static byte[] read(Path file) throws IdentityException {
    byte[] bytes;
    try {
      if (Files.size(file) > MAX_SECRET_BYTES) {
        throw new IdentityException(file + " is too long for a passphrase or credential");
      }
      bytes = Files.readAllBytes(file);
    } catch (IOException unreadable) {
      throw new IdentityException("cannot read " + file);
    }
    int length = bytes.length;
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
      length--;
    }
    byte[] secret = Arrays.copyOf(bytes, length);
    Arrays.fill(bytes, (byte) 0);
    if (length < MIN_SECRET_BYTES) {
      Arrays.fill(secret, (byte) 0);
      throw new IdentityException(
          file + ": expected at least " + MIN_SECRET_BYTES + " bytes, found " + length);
    }
    return secret;
  }

  Header header() {
    return header;
  }

  boolean protects() {
    return key != null;
  }

  byte[] seal(UnlockSecret secret, SecureRandom random) {
    byte[] plain = secret.bytes();
    if (key == null) {
      return plain;
    }
    try {
      return Sealed.seal(key, CONTEXT, plain, random);
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  UnlockSecret open(byte[] sealed) throws IdentityException {
    if (key == null) {
      if (sealed.length != UnlockSecret.BYTES) {
        throw new IdentityException("the identity file holds no unlock secret");
      }
      return UnlockSecret.of(sealed.clone());
    }
    try {
      return UnlockSecret.of(Sealed.open(key, CONTEXT, sealed));
    } catch (IdentityException | IllegalArgumentException _) {
      throw new IdentityException(
          "the unlock secret does not open: the passphrase or credential is another one");
    }
  }

  @Override
  public String toString() {
    return "UnlockSeal[" + header.getClass().getSimpleName() + "]";
  }
}
