package io.penstock.codec.noise;

import java.security.SecureRandom;

/// Where a handshake takes what must be new each time. Fixed only in tests, against published
/// vectors.
interface Ephemerals {
  /// Noise's `e`.
  X25519 x25519();

  /// The randomness of `e1`'s key pair, or of the encapsulation in `ekem1`.
  SecureRandom kem();

  static Ephemerals fresh() {
    SecureRandom random = new SecureRandom();
    return new Ephemerals() {
      @Override
      public X25519 x25519() {
        return X25519.generate(random);
      }

      @Override
      public SecureRandom kem() {
        return random;
      }
    };
  }
}
