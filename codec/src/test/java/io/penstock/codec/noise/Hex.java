package io.penstock.codec.noise;

import java.util.HexFormat;

/// Bytes as a test writes them.
record Hex(String text) {
  static final Hex EMPTY = new Hex("");

  static Hex of(byte[] bytes) {
    return new Hex(HexFormat.of().formatHex(bytes));
  }

  /// `count` bytes that count up from `first`.
  static Hex counting(int first, int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (first + i);
    }
    return of(bytes);
  }

  byte[] bytes() {
    return HexFormat.of().parseHex(text);
  }
}
