package io.penstock.broker.edge;

import java.util.Optional;

/// Where the body of one answer ends for the caller (RFC 9112, section 6.3), and whether what comes
/// through the tunnel keeps to it.
final class AnswerFraming {
  enum Kind {
    /// HEAD, 204, 205, 304: no body, whatever the fields say.
    NONE,
    LENGTH,
    CHUNKED,
    /// For HTTP/1.0 callers.
    UNTIL_CLOSE
  }

  private final Kind kind;
  private final boolean saysEmpty;
  private long left;

  private AnswerFraming(Kind kind, long left, boolean saysEmpty) {
    this.kind = kind;
    this.left = left;
    this.saysEmpty = saysEmpty;
  }

  /// Empty: the answer contradicts itself.
  ///
  /// @param length Content-Length as [AnswerFields] found it
  /// @param end no body follows
  static Optional<AnswerFraming> of(
      int status, long length, boolean end, boolean headRequest, boolean http10) {
    if (length == AnswerFields.BAD_LENGTH) {
      return Optional.empty();
    }
    if (headRequest || status == 204 || status == 205 || status == 304) {
      return Optional.of(new AnswerFraming(Kind.NONE, 0, false));
    }
    if (length > 0 && end) {
      return Optional.empty();
    }
    if (length >= 0) {
      return Optional.of(new AnswerFraming(Kind.LENGTH, length, false));
    }
    if (end) {
      return Optional.of(new AnswerFraming(Kind.LENGTH, 0, true));
    }
    return Optional.of(
        new AnswerFraming(http10 ? Kind.UNTIL_CLOSE : Kind.CHUNKED, Long.MAX_VALUE, false));
  }

  Kind kind() {
    return kind;
  }

  /// The caller is told of the empty body, the system did not say it.
  boolean saysEmpty() {
    return saysEmpty;
  }

  /// False: more than was announced.
  boolean takes(int bytes) {
    left -= bytes;
    return left >= 0;
  }

  /// Whether an end is expected here; otherwise the answer was cut.
  boolean mayEnd() {
    return left == 0 || kind == Kind.CHUNKED || kind == Kind.UNTIL_CLOSE;
  }
}
