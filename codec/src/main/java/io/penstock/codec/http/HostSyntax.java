package io.penstock.codec.http;

/// `host [":" port]` of RFC 9110 section 7.2, without what no host on a network has: user
/// information, percent escapes, sub-delimiters, empty names and empty ports are refused.
final class HostSyntax {

  private static final int MAX_HOST_BYTES = 255;
  private static final int MAX_PORT = 65_535;

  private HostSyntax() {}

  static boolean isValid(byte[] bytes, int from, int to) {
    int hostEnd = hostEnd(bytes, from, to);
    return hostEnd > from && (hostEnd == to || isPort(bytes, hostEnd, to));
  }

  static boolean isValidWithPort(byte[] bytes, int from, int to) {
    int hostEnd = hostEnd(bytes, from, to);
    return hostEnd > from && isPort(bytes, hostEnd, to);
  }

  /// Where the host ends, `from` if there is none.
  static int hostEnd(byte[] bytes, int from, int to) {
    int end =
        from < to && bytes[from] == '[' ? literalEnd(bytes, from, to) : nameEnd(bytes, from, to);
    return end - from > MAX_HOST_BYTES ? from : end;
  }

  private static int nameEnd(byte[] bytes, int from, int to) {
    int i = from;
    while (i < to && isNameByte(bytes[i])) {
      i++;
    }
    return i;
  }

  private static boolean isNameByte(byte b) {
    return Octets.isAlphanumeric(b) || b == '-' || b == '.' || b == '_';
  }

  /// An IPv6 address in brackets; zones and future literals are refused.
  private static int literalEnd(byte[] bytes, int from, int to) {
    int i = from + 1;
    while (i < to && (Octets.hex(bytes[i]) >= 0 || bytes[i] == ':' || bytes[i] == '.')) {
      i++;
    }
    return i < to && bytes[i] == ']' && i - from > 2 ? i + 1 : from;
  }

  private static boolean isPort(byte[] bytes, int colon, int to) {
    int digits = to - colon - 1;
    if (colon >= to || bytes[colon] != ':' || digits < 1 || digits > 5) {
      return false;
    }
    int port = 0;
    for (int i = colon + 1; i < to; i++) {
      if (!Octets.isDigit(bytes[i])) {
        return false;
      }
      port = port * 10 + bytes[i] - '0';
    }
    return port <= MAX_PORT;
  }
}
