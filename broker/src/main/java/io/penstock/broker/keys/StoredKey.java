package io.penstock.broker.keys;

import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;

/// One key of the keystore. A signing key that was replaced has left its secret half behind.
///
/// @param material the secret of 32 bytes; of a replaced signing key its public half; of another
///     retired one nothing
/// @param createdMillis 0 = before keystores wrote it down
/// @param changedMillis when it came into this state
record StoredKey(
    ManagedKey use,
    KeyState state,
    String kid,
    byte[] material,
    long createdMillis,
    long changedMillis) {
  static final int SECRET_BYTES = 32;

  static StoredKey generate(ManagedKey use, KeyState state, SecureRandom random, Instant now) {
    byte[] secret = new byte[SECRET_BYTES];
    random.nextBytes(secret);
    return of(use, state, secret, now.toEpochMilli());
  }

  /// @param secret owned by the key from now on
  static StoredKey of(ManagedKey use, KeyState state, byte[] secret, long createdMillis) {
    return new StoredKey(use, state, kid(use, secret), secret, createdMillis, createdMillis);
  }

  private static String kid(ManagedKey use, byte[] secret) {
    if (use.signs()) {
      return SigningKey.ofSeed(secret).verifyingKey().keyId(use.idPrefix());
    }
    return use.idPrefix() + "-" + Octets.of(Kek.idOf(secret)).hex();
  }

  boolean hasSecret() {
    return state == KeyState.ANNOUNCED
        || state == KeyState.SIGNING
        || (state == KeyState.VERIFYING && !use.signs());
  }

  SigningKey signingKey() {
    return SigningKey.ofSeed(material);
  }

  VerifyingKey verifyingKey() {
    return hasSecret() ? signingKey().verifyingKey() : VerifyingKey.of(material);
  }

  StoredKey in(KeyState next, Instant now) {
    byte[] kept = material;
    if (use.signs() && (next == KeyState.VERIFYING || next == KeyState.RETIRED)) {
      kept = verifyingKey().octets().bytes();
    } else if (next == KeyState.RETIRED) {
      kept = new byte[0];
    }
    return new StoredKey(use, next, kid, kept, createdMillis, now.toEpochMilli());
  }

  void requireWhole() {
    int expected = state == KeyState.RETIRED && !use.signs() ? 0 : SECRET_BYTES;
    if (material.length != expected) {
      throw new io.penstock.codec.seal.SealException("the keystore lacks the key " + kid);
    }
  }

  byte[] secret() {
    return Arrays.copyOf(material, material.length);
  }

  @Override
  public String toString() {
    return "StoredKey[" + kid + "]";
  }
}
