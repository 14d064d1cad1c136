package io.penstock.codec.noise;

import java.util.Arrays;
import java.util.HexFormat;

/// An X25519 public key of 32 bytes. Any 32 bytes are one (RFC 7748 section 5); a key that
/// contributes nothing is refused where it is used.
public final class PublicKey {
  public static final int BYTES = 32;

  private final byte[] bytes;

  public PublicKey(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("public key: expected 32 bytes, found " + bytes.length);
    }
    this.bytes = bytes.clone();
  }

  public byte[] bytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PublicKey that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
