package io.penstock.codec.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

/// `HTTP/1.1` and `HTTP/1.0`, in these very bytes (RFC 9112 section 2.3 is case-sensitive).
final class Version {

  static final int BYTES = 8;

  private static final byte[] PREFIX = "HTTP/".getBytes(US_ASCII);

  private Version() {}

  static boolean isHttp11(byte[] bytes, int from) {
    return isDigits(bytes, from) && bytes[from + 5] == '1' && bytes[from + 7] == '1';
  }

  static boolean isHttp10(byte[] bytes, int from) {
    return isDigits(bytes, from) && bytes[from + 5] == '1' && bytes[from + 7] == '0';
  }

  static Refusal fault(byte[] bytes, int from) {
    return isDigits(bytes, from) ? Refusal.UNKNOWN_VERSION : Refusal.BAD_VERSION;
  }

  private static boolean isDigits(byte[] bytes, int from) {
    for (int i = 0; i < PREFIX.length; i++) {
      if (bytes[from + i] != PREFIX[i]) {
        return false;
      }
    }
    return Octets.isDigit(bytes[from + 5])
        && bytes[from + 6] == '.'
        && Octets.isDigit(bytes[from + 7]);
  }
}
