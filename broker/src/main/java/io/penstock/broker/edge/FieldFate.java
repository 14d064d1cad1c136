package io.penstock.broker.edge;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// What becomes of a field on its way through the broker, in either direction. Sorted by the
/// name's length first, so that most fields cost one look and nothing is allocated.
enum FieldFate {
  PASS,
  /// Ends here: hop-by-hop (RFC 9110, section 7.6.1), our own, or written anew at the other end.
  STAY,
  COOKIE,
  SET_COOKIE,
  AUTHORIZATION,
  TRACE_STATE,
  CONTENT_LENGTH,
  /// Answers: ours replaces the system's.
  CONTENT_TYPE_OPTIONS;

  static FieldFate of(CharSequence name) {
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
  static boolean isOurs(CharSequence name) {
    return name.length() > OwnFields.PREFIX.length()
        && (name.charAt(0) | 0x20) == 'p'
        && AsciiString.regionMatches(name, true, 0, OwnFields.PREFIX, 0, OwnFields.PREFIX.length());
  }

  /// The names that Connection values list besides `close` and `keep-alive`; usually none.
  static List<String> namedBy(Iterator<? extends CharSequence> connectionValues) {
    if (!connectionValues.hasNext()) {
      return List.of();
    }
    var named = new ArrayList<String>(2);
    while (connectionValues.hasNext()) {
      CharSequence value = connectionValues.next();
      if (!AsciiString.contentEqualsIgnoreCase(value, HttpHeaderValues.CLOSE)
          && !AsciiString.contentEqualsIgnoreCase(value, HttpHeaderValues.KEEP_ALIVE)) {
        addOptions(value.toString(), named);
      }
    }
    return named;
  }

  private static void addOptions(String value, List<String> named) {
    int from = 0;
    while (from <= value.length()) {
      int comma = value.indexOf(',', from);
      int to = comma < 0 ? value.length() : comma;
      String option = value.substring(from, to).strip();
      if (!option.isEmpty() && !option.equalsIgnoreCase("close")) {
        named.add(option);
      }
      from = to + 1;
    }
  }

  static boolean isNamed(CharSequence name, List<String> named) {
    for (int i = 0; i < named.size(); i++) {
      if (is(name, named.get(i))) {
        return true;
      }
    }
    return false;
  }

  static boolean isConnection(CharSequence name) {
    return is(name, HttpHeaderNames.CONNECTION);
  }

  private static FieldFate when(CharSequence name, String expected, FieldFate fate) {
    return is(name, expected) ? fate : PASS;
  }

  private static boolean is(CharSequence name, CharSequence expected) {
    return AsciiString.contentEqualsIgnoreCase(name, expected);
  }
}
