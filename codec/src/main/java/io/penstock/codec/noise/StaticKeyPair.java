package io.penstock.codec.noise;

import java.security.SecureRandom;

/// Noise's `s`: the X25519 key pair that says who a party is.
public final class StaticKeyPair {
  public static final int PRIVATE_KEY_BYTES = 32;

  private final X25519 keys;

  private StaticKeyPair(X25519 keys) {
    this.keys = keys;
  }

  public static StaticKeyPair generate() {
    return new StaticKeyPair(X25519.generate(new SecureRandom()));
  }

  /// The pair of a private key of 32 bytes, which need not be clamped.
  public static StaticKeyPair fromPrivate(byte[] raw) {
    return new StaticKeyPair(X25519.fromPrivate(raw));
  }

  /// A copy of the private key; who asks for it answers for it.
  public byte[] privateKeyBytes() {
    return keys.privateKey();
  }

  public PublicKey publicKey() {
    return new PublicKey(keys.publicKey());
  }

  X25519 keys() {
    return keys;
  }

  /// Nothing of the private key.
  @Override
  public String toString() {
    return "StaticKeyPair " + publicKey();
  }
}
