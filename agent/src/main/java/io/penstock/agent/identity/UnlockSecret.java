package io.penstock.agent.identity;

import java.security.SecureRandom;
import java.util.Arrays;

/// U: 32 random bytes from which everything local is derived ([UnlockKeys]). On disk only as an
/// [UnlockSeal] writes it.
final class UnlockSecret {
  static final int BYTES = 32;

  private final byte[] bytes;

  private UnlockSecret(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("expected 32 bytes, found " + bytes.length);
    }
    this.bytes = bytes;
  }

  static UnlockSecret generate(SecureRandom random) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    return new UnlockSecret(bytes);
  }

  /// Takes ownership of `bytes`.
  static UnlockSecret of(byte[] bytes) {
    return new UnlockSecret(bytes);
  }

  /// The secret itself; the caller wipes it.
  byte[] bytes() {
    return bytes.clone();
  }

  void wipe() {
    Arrays.fill(bytes, (byte) 0);
  }

  @Override
  public String toString() {
    return "UnlockSecret[secret]";
  }
}
