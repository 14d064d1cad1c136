package io.penstock.broker.keys;

import java.security.SecureRandom;
import javax.crypto.spec.SecretKeySpec;

/// Wraps secrets that rest in the database. The context (what, whose, which generation) is
/// authenticated with them, so a wrapped value moved to another row does not open.
public final class Kek {
  private final Sealer sealer;

  Kek(byte[] key, SecureRandom random) {
    this.sealer = new Sealer(new SecretKeySpec(key, "AES"), random);
  }

  public byte[] wrap(String context, byte[] plaintext) {
    return sealer.seal(context, plaintext);
  }

  /// Throws [io.penstock.codec.seal.SealException] when it was wrapped for another context, by
  /// another key, or changed.
  public byte[] unwrap(String context, byte[] wrapped) {
    return sealer.open(context, wrapped);
  }

  @Override
  public String toString() {
    return "Kek[secret]";
  }
}
