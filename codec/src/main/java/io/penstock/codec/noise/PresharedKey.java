package io.penstock.codec.noise;

/// A secret of 32 bytes that both sides know before the handshake (Noise section 9).
public final class PresharedKey {
  public static final int BYTES = 32;

  private final byte[] bytes;

  public PresharedKey(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("preshared key: expected 32 bytes, found " + bytes.length);
    }
    this.bytes = bytes.clone();
  }

  byte[] bytes() {
    return bytes.clone();
  }

  /// Nothing of the secret.
  @Override
  public String toString() {
    return "PresharedKey";
  }
}
