package io.penstock.broker.keys;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SigningKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/// What the sealed file holds: secrets by name, the newest keyset and the newest revocation list.
/// Immutable; a change is a new content that replaces the file.
final class KeystoreContent {
  private static final JsonMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();
  private static final int SECRET_BYTES = 32;

  /// Each is 32 random bytes: an Ed25519 seed, an AES-256 key or a MAC key.
  enum Secret {
    ROOT,
    NODE_ISSUER,
    RECORD,
    CONFIGURATION,
    CHECKPOINT,
    JWT,
    KEK,
    ENROLL_ROOT,
    ROW_MAC
  }

  private record Stored(
      int format, Map<String, String> secrets, String keyset, String revocations) {}

  private static final int FORMAT = 1;

  private final Map<Secret, byte[]> secrets;
  private final String keysetJws;
  private final String revocationsJws;

  private KeystoreContent(Map<Secret, byte[]> secrets, String keysetJws, String revocationsJws) {
    this.secrets = secrets;
    this.keysetJws = keysetJws;
    this.revocationsJws = revocationsJws;
  }

  static KeystoreContent generate(SecureRandom random) {
    var secrets = new EnumMap<Secret, byte[]>(Secret.class);
    for (Secret secret : Secret.values()) {
      byte[] bytes = new byte[SECRET_BYTES];
      random.nextBytes(bytes);
      secrets.put(secret, bytes);
    }
    return new KeystoreContent(secrets, "", "");
  }

  static KeystoreContent parse(byte[] json) {
    Stored stored;
    try {
      stored = JSON.readValue(json, Stored.class);
    } catch (IOException _) {
      // The cause would quote what is secret.
      throw new SealException("the keystore's content is not what this version writes");
    }
    if (stored.format() != FORMAT) {
      throw new SealException("the keystore has format " + FORMAT + ", found " + stored.format());
    }
    var secrets = new EnumMap<Secret, byte[]>(Secret.class);
    for (Secret secret : Secret.values()) {
      secrets.put(
          secret, Base64.getDecoder().decode(stored.secrets().getOrDefault(secret.name(), "")));
      if (secrets.getOrDefault(secret, new byte[0]).length != SECRET_BYTES) {
        throw new SealException("the keystore lacks " + secret);
      }
    }
    return new KeystoreContent(secrets, stored.keyset(), stored.revocations());
  }

  byte[] toJson() {
    var encoded = new HashMap<String, String>();
    secrets.forEach(
        (secret, bytes) -> encoded.put(secret.name(), Base64.getEncoder().encodeToString(bytes)));
    try {
      return JSON.writeValueAsBytes(new Stored(FORMAT, encoded, keysetJws, revocationsJws));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  KeystoreContent withKeyset(String jws) {
    return new KeystoreContent(secrets, jws, revocationsJws);
  }

  KeystoreContent withRevocations(String jws) {
    return new KeystoreContent(secrets, keysetJws, jws);
  }

  byte[] secret(Secret secret) {
    byte[] bytes = secrets.get(secret);
    if (bytes == null) {
      throw new IllegalStateException("no " + secret);
    }
    return bytes.clone();
  }

  SigningKey signingKey(Secret secret) {
    byte[] seed = secret(secret);
    try {
      return SigningKey.ofSeed(seed);
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }

  /// Empty before the first was signed.
  String keysetJws() {
    return keysetJws;
  }

  String revocationsJws() {
    return revocationsJws;
  }

  @Override
  public String toString() {
    return "KeystoreContent[secret]";
  }
}
