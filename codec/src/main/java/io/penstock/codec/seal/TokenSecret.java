package io.penstock.codec.seal;

import java.security.MessageDigest;
import java.util.Arrays;

/// The 32-byte pre-shared key inside an enrollment token. Prints nothing and compares in constant
/// time.
public final class TokenSecret {
  public static final int BYTES = 32;

  private final byte[] bytes;

  private TokenSecret(byte[] bytes) {
    this.bytes = bytes;
  }

  public static TokenSecret of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new SealException("a token secret has 32 bytes, found " + bytes.length);
    }
    return new TokenSecret(bytes.clone());
  }

  /// The secret itself, for the handshake; the caller wipes it.
  public byte[] bytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenSecret that && MessageDigest.isEqual(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "TokenSecret[secret]";
  }
}
