package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/// The bytes of `/bytes/{n}`: a table of pseudo-random bytes, repeated. Its length is a prime, so
/// that a piece that is lost, doubled or
/// moved by any frame, record or page size shows, and any range can be checked from its offset
/// alone.
public final class BodyPattern {
  /// The largest prime below 2^20.
  static final int PERIOD = 1_048_573;

  private static final byte[] TABLE = table();
  private static final ByteBuf SHARED =
      Unpooled.unreleasableBuffer(
          Unpooled.directBuffer(PERIOD, PERIOD).writeBytes(TABLE).asReadOnly());

  /// The byte at an offset of the body.
  public static byte at(long offset) {
    return TABLE[(int) (offset % PERIOD)];
  }

  /// Fills a part of an array with the bytes from an offset on.
  public static void fill(long offset, byte[] array, int start, int length) {
    int position = (int) (offset % PERIOD);
    int done = 0;
    while (done < length) {
      int piece = Math.min(length - done, PERIOD - position);
      System.arraycopy(TABLE, position, array, start + done, piece);
      done += piece;
      position = 0;
    }
  }

  /// The index of the first byte of the piece that is not the pattern's at that offset, or -1.
  public static int mismatch(long offset, byte[] piece, int length) {
    int position = (int) (offset % PERIOD);
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, PERIOD - position);
      int found =
          java.util.Arrays.mismatch(piece, done, done + part, TABLE, position, position + part);
      if (found >= 0) {
        return done + found;
      }
      done += part;
      position = 0;
    }
    return -1;
  }

  /// A view of at most `length` bytes from an offset on, without a copy; needs no release.
  static ByteBuf slice(long offset, int length) {
    int position = (int) (offset % PERIOD);
    return SHARED.slice(position, Math.min(length, PERIOD - position));
  }

  private static byte[] table() {
    byte[] table = new byte[PERIOD];
    long state = 0x9E3779B97F4A7C15L;
    for (int i = 0; i < PERIOD; i++) {
      // xorshift64*: the same on every machine and in every version.
      state ^= state >>> 12;
      state ^= state << 25;
      state ^= state >>> 27;
      table[i] = (byte) ((state * 0x2545F4914F6CDD1DL) >>> 56);
    }
    return table;
  }

  private BodyPattern() {}
}
