package io.penstock.codec.noise;

import java.security.SecureRandom;

/// The ephemeral keys of one side of a known answer.
///
/// @param ephemeral the X25519 private key
/// @param kemRandomness 64 bytes `d`, `z` for who generates `e1`, 32 bytes `m` for who encapsulates
record FixedEphemerals(Hex ephemeral, Hex kemRandomness) implements Ephemerals {
  @Override
  public X25519 x25519() {
    return X25519.fromPrivate(ephemeral.bytes());
  }

  @Override
  public SecureRandom kem() {
    return new FixedRandom(kemRandomness.bytes());
  }
}
