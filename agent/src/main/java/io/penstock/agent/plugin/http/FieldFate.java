package io.penstock.agent.plugin.http;

import io.netty.util.AsciiString;

/// What becomes of a field between tunnel and system, in either direction. By the name's length
/// first, so that most fields cost one look and nothing is allocated.
enum FieldFate {
  PASS,
  /// Hop-by-hop (RFC 9110, section 7.6.1), or ours to write.
  DROP,
  CONTENT_LENGTH,
  CONNECTION;

  private static final String OURS = "penstock-";

  static FieldFate of(CharSequence name) {
    return switch (name.length()) {
      case 2 -> when(name, "te", DROP);
      case 4 -> when(name, "host", DROP);
      case 6 -> when(name, "expect", DROP);
      case 7 -> when(name, "upgrade", DROP);
      case 10 -> is(name, "keep-alive") ? DROP : when(name, "connection", CONNECTION);
      case 11 -> when(name, "traceparent", DROP);
      case 14 -> is(name, "http2-settings") ? DROP : when(name, "content-length", CONTENT_LENGTH);
      case 16 -> when(name, "proxy-connection", DROP);
      case 17 -> when(name, "transfer-encoding", DROP);
      case 18 -> when(name, "proxy-authenticate", DROP);
      case 19 -> when(name, "proxy-authorization", DROP);
      case 25 -> when(name, "proxy-authentication-info", DROP);
      default -> PASS;
    };
  }

  /// Every name that begins with `Penstock-` is ours.
  static boolean isOurs(CharSequence name) {
    return name.length() >= OURS.length()
        && AsciiString.regionMatches(name, true, 0, OURS, 0, OURS.length());
  }

  private static FieldFate when(CharSequence name, String expected, FieldFate fate) {
    return is(name, expected) ? fate : PASS;
  }

  private static boolean is(CharSequence name, String expected) {
    return AsciiString.contentEqualsIgnoreCase(name, expected);
  }
}
