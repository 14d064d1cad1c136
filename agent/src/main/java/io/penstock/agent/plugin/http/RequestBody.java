package io.penstock.agent.plugin.http;

import io.netty.util.AsciiString;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;

/// How the body of one request is framed, and how much of it has passed.
final class RequestBody {
  private static final int MAX_LENGTH_DIGITS = 18;

  private final boolean chunked;
  private final boolean saysLength;
  private final long length;
  private long passed;

  private RequestBody(boolean chunked, boolean saysLength, long length) {
    this.chunked = chunked;
    this.saysLength = saysLength;
    this.length = length;
  }

  /// @param end OPEN ended the request: there is no body
  static RequestBody of(RequestHead head, boolean end) throws ProtocolException {
    long declared = declared(head.fields());
    if (end) {
      if (declared > 0) {
        throw bad("expected " + declared + " bytes of body, found none");
      }
      return new RequestBody(false, declared == 0 || meansBody(head.method()), 0);
    }
    return declared < 0 ? new RequestBody(true, false, 0) : new RequestBody(false, true, declared);
  }

  /// -1 = nothing declared.
  private static long declared(Fields fields) throws ProtocolException {
    long declared = -1;
    for (int i = 0; i < fields.count(); i++) {
      if (RequestWriter.isContentLength(fields.name(i))) {
        if (declared >= 0) {
          throw bad("expected one Content-Length, found two");
        }
        declared = number(fields.value(i));
      }
    }
    return declared;
  }

  private static long number(CharSequence text) throws ProtocolException {
    long number = 0;
    if (text.isEmpty() || text.length() > MAX_LENGTH_DIGITS) {
      throw bad("expected a Content-Length of digits");
    }
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        throw bad("expected a Content-Length of digits");
      }
      number = number * 10 + digit;
    }
    return number;
  }

  /// Without a body such a request says so (RFC 9110, section 8.6).
  private static boolean meansBody(AsciiString method) {
    return method.contentEquals("POST")
        || method.contentEquals("PUT")
        || method.contentEquals("PATCH");
  }

  private static ProtocolException bad(String message) {
    return new ProtocolException(ErrorCode.BAD_REQUEST, message);
  }

  boolean isChunked() {
    return chunked;
  }

  /// Whether the head says a length, which is then [#length].
  boolean saysLength() {
    return saysLength;
  }

  long length() {
    return length;
  }

  /// Counts `bytes` more. False: more than was declared.
  boolean pass(int bytes) {
    passed += bytes;
    return chunked || passed <= length;
  }

  /// Whether the body may end here.
  boolean isWhole() {
    return chunked || passed == length;
  }
}
