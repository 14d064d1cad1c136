package io.penstock.broker.edge;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;

/// The fields that we read from callers and add to answers (contract, "Invocation").
final class OwnFields {
  static final AsciiString AUTHORIZATION = AsciiString.cached("Penstock-Authorization");
  static final AsciiString TIMEOUT_MS = AsciiString.cached("Penstock-Timeout-Ms");
  static final AsciiString REQUEST_ID = AsciiString.cached("Penstock-Request-Id");
  static final AsciiString ERROR = AsciiString.cached("Penstock-Error");
  static final AsciiString SERVER_TIMING = AsciiString.cached("Server-Timing");
  static final AsciiString TRACEPARENT = AsciiString.cached("traceparent");

  private static final AsciiString CONTENT_SECURITY_POLICY =
      AsciiString.cached("Content-Security-Policy");
  private static final AsciiString SANDBOX = AsciiString.cached("sandbox");
  private static final AsciiString CONTENT_TYPE_OPTIONS =
      AsciiString.cached("X-Content-Type-Options");
  private static final AsciiString NOSNIFF = AsciiString.cached("nosniff");

  private OwnFields() {}

  /// Answers of systems share the console's origin: they run no script there and are not taken for
  /// one. Several policies of one answer all hold, so a system's own stays beside ours.
  static void guardOrigin(HttpHeaders headers) {
    headers.add(CONTENT_SECURITY_POLICY, SANDBOX);
    headers.set(CONTENT_TYPE_OPTIONS, NOSNIFF);
  }
}
