package io.penstock.codec.http;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Field names whose meaning this gate must not get wrong: those that frame, route, authenticate or
/// describe a message. Two uses: some of them are judged, and no other name may resemble any of
/// them. Gateways that put fields into environment variables turn every punctuation mark into `_`,
/// so to them `Content_Length` is `Content-Length`. None of them may be a trailer (RFC 9110 section
/// 6.5.1).
enum KnownField {
  /// Every name that is not in this list.
  OTHER,

  HOST,
  CONTENT_LENGTH,
  TRANSFER_ENCODING,
  CONNECTION,
  UPGRADE,
  EXPECT,

  /// Both in one GET make Netty read an eight-byte body that no field declares (draft hixie-76 of
  /// the WebSocket protocol).
  SEC_WEBSOCKET_KEY1,
  SEC_WEBSOCKET_KEY2,
  /// The same with sixteen bytes after a 101.
  SEC_WEBSOCKET_ORIGIN,
  SEC_WEBSOCKET_LOCATION,

  ACCEPT_ENCODING,
  AUTHORIZATION,
  CACHE_CONTROL,
  CONTENT_ENCODING,
  CONTENT_RANGE,
  CONTENT_TYPE,
  COOKIE,
  FORWARDED,
  HTTP2_SETTINGS,
  IF_MATCH,
  IF_MODIFIED_SINCE,
  IF_NONE_MATCH,
  IF_RANGE,
  IF_UNMODIFIED_SINCE,
  KEEP_ALIVE,
  LOCATION,
  MAX_FORWARDS,
  ORIGIN,
  PROXY_AUTHENTICATE,
  PROXY_AUTHORIZATION,
  PROXY_CONNECTION,
  RANGE,
  SEC_WEBSOCKET_ACCEPT,
  SEC_WEBSOCKET_EXTENSIONS,
  SEC_WEBSOCKET_KEY,
  SEC_WEBSOCKET_PROTOCOL,
  SEC_WEBSOCKET_VERSION,
  SET_COOKIE,
  TE,
  TRACEPARENT,
  TRACESTATE,
  TRAILER,
  WWW_AUTHENTICATE,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
  X_HTTP_METHOD_OVERRIDE,
  X_ORIGINAL_URL,
  X_REAL_IP,
  X_REWRITE_URL;

  /// No known name is longer; a longer one is unknown without a look.
  static final int LONGEST = 32;

  /// Every name of our own, whatever follows.
  private static final String OURS = "penstock-";

  private static final int SLOTS = 256;
  private static final @Nullable KnownField[] TABLE = new @Nullable KnownField[SLOTS];

  private final String fieldName = name().toLowerCase(Locale.ROOT).replace('_', '-');

  static {
    for (KnownField field : values()) {
      if (field == OTHER) {
        continue;
      }
      int slot = slot(hash(field.fieldName));
      while (TABLE[slot] != null) {
        slot = (slot + 1) % SLOTS;
      }
      TABLE[slot] = field;
    }
  }

  /// One step of the hash that callers build while they scan a name; `folded` as of [Octets#fold],
  /// with `-` for punctuation.
  static int hash(int soFar, byte folded) {
    return soFar * 31 + folded;
  }

  private static int hash(String folded) {
    int hash = 0;
    for (int i = 0; i < folded.length(); i++) {
      hash = hash(hash, (byte) folded.charAt(i));
    }
    return hash;
  }

  private static int slot(int hash) {
    return (hash ^ hash >>> 16) & (SLOTS - 1);
  }

  /// The known field that the token `bytes[from, to)` is or, punctuation aside, resembles.
  static KnownField find(byte[] bytes, int from, int to, int hash) {
    if (to - from > LONGEST) {
      return OTHER;
    }
    int slot = slot(hash);
    for (KnownField candidate = TABLE[slot]; candidate != null; candidate = TABLE[slot]) {
      if (resembles(bytes, from, to, candidate.fieldName)) {
        return candidate;
      }
      slot = (slot + 1) % SLOTS;
    }
    return OTHER;
  }

  /// Whether a name with punctuation in it stands for one of our own fields.
  static boolean resemblesOurs(byte[] bytes, int from, int to) {
    return to - from >= OURS.length() && resembles(bytes, from, from + OURS.length(), OURS);
  }

  private static boolean resembles(byte[] bytes, int from, int to, String name) {
    if (to - from != name.length()) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      byte folded = Octets.fold(bytes[from + i]);
      if ((folded == Octets.PUNCTUATION ? '-' : folded) != name.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
