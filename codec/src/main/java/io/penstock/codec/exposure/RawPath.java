package io.penstock.codec.exposure;

/// The path of a request target as it stands on the wire, without its query. A rule is only worth
/// something when the system reads the path as the rule did; paths that systems are known to read
/// in several ways are therefore never matched (`docs/protocol.md`, section 5, and the gate in
/// front of invocations).
final class RawPath {
  private RawPath() {}

  /// Where the path ends: at the query or the end of the target.
  static int end(CharSequence target) {
    for (int i = 0; i < target.length(); i++) {
      if (target.charAt(i) == '?') {
        return i;
      }
    }
    return target.length();
  }

  /// No dot segments (also encoded, also with parameters as in `..;x`), no encoded slash, backslash
  /// or NUL, no empty segment but the last, printable ASCII only.
  static boolean isUnambiguous(CharSequence path, int end) {
    if (end == 0 || path.charAt(0) != '/') {
      return false;
    }
    int segment = 1;
    for (int i = 1; i < end; i++) {
      char c = path.charAt(i);
      if (c <= ' ' || c >= 0x7f || c == '\\' || c == '#' || isForbiddenEscape(path, i, end)) {
        return false;
      }
      if (c == '/') {
        if (i == segment || isDots(path, segment, i)) {
          return false;
        }
        segment = i + 1;
      }
    }
    return !isDots(path, segment, end);
  }

  /// `%2f`, `%5c`, `%00`, or a percent sign that begins no escape.
  private static boolean isForbiddenEscape(CharSequence path, int at, int end) {
    if (path.charAt(at) != '%') {
      return false;
    }
    if (at + 2 >= end) {
      return true;
    }
    int high = Character.digit(path.charAt(at + 1), 16);
    int low = Character.digit(path.charAt(at + 2), 16);
    if (high < 0 || low < 0) {
      return true;
    }
    int octet = high << 4 | low;
    return octet == '/' || octet == '\\' || octet == 0;
  }

  /// One or two dots, plain or as `%2e`, up to the segment's end or its parameters.
  private static boolean isDots(CharSequence path, int from, int to) {
    int dots = 0;
    int at = from;
    while (at < to && path.charAt(at) != ';') {
      if (path.charAt(at) == '.') {
        at++;
      } else if (isEncodedDot(path, at, to)) {
        at += 3;
      } else {
        return false;
      }
      dots++;
    }
    return dots == 1 || dots == 2;
  }

  private static boolean isEncodedDot(CharSequence path, int at, int to) {
    return at + 2 < to
        && path.charAt(at) == '%'
        && path.charAt(at + 1) == '2'
        && (path.charAt(at + 2) == 'e' || path.charAt(at + 2) == 'E');
  }
}
