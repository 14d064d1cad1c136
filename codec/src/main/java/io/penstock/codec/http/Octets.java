package io.penstock.codec.http;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The byte classes of RFC 9110 section 5.6.2 as tables, so that a head is judged with one look-up
/// per byte.
final class Octets {

  static final byte TAB = '\t';
  static final byte LF = '\n';
  static final byte CR = '\r';
  static final byte SP = ' ';

  /// 0: not a token character. Positive: the letter in lower case, a digit or `-`. [#PUNCTUATION]:
  /// any other token character.
  private static final byte[] FOLD = new byte[256];

  static final byte PUNCTUATION = -1;

  private static final byte[] HEX = new byte[256];

  private static final VarHandle EIGHT_BYTES =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long HIGH_BITS = 0x8080808080808080L;

  static {
    for (char c : "!#$%&'*+.^_`|~".toCharArray()) {
      FOLD[c] = PUNCTUATION;
    }
    FOLD['-'] = '-';
    Arrays.fill(HEX, (byte) -1);
    for (char c = '0'; c <= '9'; c++) {
      FOLD[c] = (byte) c;
      HEX[c] = (byte) (c - '0');
    }
    for (char c = 'a'; c <= 'z'; c++) {
      FOLD[c] = (byte) c;
      FOLD[c - 0x20] = (byte) c;
    }
    for (char c = 'a'; c <= 'f'; c++) {
      HEX[c] = (byte) (c - 'a' + 10);
      HEX[c - 0x20] = (byte) (c - 'a' + 10);
    }
  }

  private Octets() {}

  static byte fold(byte b) {
    return FOLD[b & 0xff];
  }

  static boolean isToken(byte b) {
    return FOLD[b & 0xff] != 0;
  }

  static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  static boolean isAlphanumeric(byte b) {
    byte folded = FOLD[b & 0xff];
    return folded > 0 && folded != '-';
  }

  /// The digit's value, or -1.
  static int hex(byte b) {
    return HEX[b & 0xff];
  }

  static boolean isBlank(byte b) {
    return b == SP || b == TAB;
  }

  /// Printable ASCII without space; bytes over 0x7f are negative and fall out.
  static boolean isVisible(byte b) {
    return b > SP && b < 0x7f;
  }

  /// What a field value may hold: no control bytes, no obs-text (protocol, "HTTP through the
  /// tunnel").
  static boolean isFieldByte(byte b) {
    return (b >= SP && b < 0x7f) || b == TAB;
  }

  /// Where the field bytes that begin at `from` end.
  static int fieldBytesEnd(byte[] bytes, int from, int to) {
    int i = from;
    while (i + Long.BYTES <= to && arePrintable((long) EIGHT_BYTES.get(bytes, i))) {
      i += Long.BYTES;
    }
    while (i < to && isFieldByte(bytes[i])) {
      i++;
    }
    return i;
  }

  /// Whether all eight bytes are in 0x20 to 0x7e: subtracting finds the first lower one, adding
  /// finds 0x7f, and the rest has its high bit set already. Never true by mistake.
  private static boolean arePrintable(long eight) {
    return (((eight - ONES * SP) | (eight + ONES) | eight) & HIGH_BITS) == 0;
  }

  static boolean equalsIgnoringCase(byte[] bytes, int from, int to, byte[] lowerCase) {
    if (to - from != lowerCase.length) {
      return false;
    }
    for (int i = 0; i < lowerCase.length; i++) {
      if (lower(bytes[from + i]) != lowerCase[i]) {
        return false;
      }
    }
    return true;
  }

  static boolean sameIgnoringCase(byte[] bytes, int from, int to, int otherFrom, int otherTo) {
    if (to - from != otherTo - otherFrom) {
      return false;
    }
    for (int i = 0; i < to - from; i++) {
      if (lower(bytes[from + i]) != lower(bytes[otherFrom + i])) {
        return false;
      }
    }
    return true;
  }

  private static int lower(byte b) {
    return b >= 'A' && b <= 'Z' ? b + 0x20 : b;
  }
}
