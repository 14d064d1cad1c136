package io.penstock.codec.http;

import io.netty.util.AsciiString;

/// What becomes of a field at one of our hops, caller to broker or agent to system, in either
/// direction. Sorted by the name's length first, so that most fields cost one look and nothing is
/// allocated. What a message's Connection names besides is [HopByHop]'s.
public enum FieldFate {
  PASS,
  /// Ends here: hop-by-hop (RFC 9110, section 7.6.1), or written anew at the other end.
  STAY,
  COOKIE,
  SET_COOKIE,
  AUTHORIZATION,
  TRACE_STATE,
  CONTENT_LENGTH,
  /// Answers: the broker's replaces the system's.
  CONTENT_TYPE_OPTIONS;

  private static final AsciiString OURS = AsciiString.cached("penstock-");

  public static FieldFate of(CharSequence name) {
    return switch (name.length()) {
      case 2 -> when(name, "te", STAY);
      case 4 -> when(name, "host", STAY);
      case 6 -> ofSix(name);
      case 7 -> when(name, "upgrade", STAY);
      case 9 -> when(name, "forwarded", STAY);
      case 10 -> ofTen(name);
      case 11 -> when(name, "traceparent", STAY);
      case 13 -> when(name, "authorization", AUTHORIZATION);
      case 14 -> ofFourteen(name);
      case 16 -> when(name, "proxy-connection", STAY);
      case 17 -> when(name, "transfer-encoding", STAY);
      case 18 -> when(name, "proxy-authenticate", STAY);
      case 19 -> when(name, "proxy-authorization", STAY);
      case 22 -> when(name, "x-content-type-options", CONTENT_TYPE_OPTIONS);
      case 25 -> when(name, "proxy-authentication-info", STAY);
      default -> PASS;
    };
  }

  private static FieldFate ofSix(CharSequence name) {
    return is(name, "cookie") ? COOKIE : when(name, "expect", STAY);
  }

  private static FieldFate ofTen(CharSequence name) {
    if (is(name, "connection") || is(name, "keep-alive")) {
      return STAY;
    }
    return is(name, "tracestate") ? TRACE_STATE : when(name, "set-cookie", SET_COOKIE);
  }

  private static FieldFate ofFourteen(CharSequence name) {
    return is(name, "content-length") ? CONTENT_LENGTH : when(name, "http2-settings", STAY);
  }

  /// Every name that begins with `Penstock-` is ours, whoever sent it.
  public static boolean isOurs(CharSequence name) {
    return name.length() >= OURS.length()
        && (name.charAt(0) | 0x20) == 'p'
        && AsciiString.regionMatches(name, true, 0, OURS, 0, OURS.length());
  }

  private static FieldFate when(CharSequence name, String expected, FieldFate fate) {
    return is(name, expected) ? fate : PASS;
  }

  private static boolean is(CharSequence name, String expected) {
    return AsciiString.contentEqualsIgnoreCase(name, expected);
  }
}
