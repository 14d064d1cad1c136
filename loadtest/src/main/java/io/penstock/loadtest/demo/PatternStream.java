package io.penstock.loadtest.demo;

import io.penstock.loadtest.target.BodyPattern;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// The first bytes of the pattern, made as they are read and hashed on the way.
final class PatternStream extends InputStream {
  private final long length;
  private final MessageDigest digest;
  private long offset;

  PatternStream(long length) {
    this.length = length;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] array, int start, int most) {
    if (offset == length) {
      return -1;
    }
    int piece = (int) Math.min(most, length - offset);
    BodyPattern.fill(offset, array, start, piece);
    digest.update(array, start, piece);
    offset += piece;
    return piece;
  }

  /// Of all that was read.
  byte[] sha256() {
    return digest.digest();
  }
}
