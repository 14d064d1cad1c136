package io.penstock.codec.http;

import java.util.Optional;

/// One answer's head under judgement: `version SP status [SP reason] CRLF *(field CRLF) CRLF` (RFC
/// 9112 section 4). A missing space before an empty reason is let pass: old servers leave it out,
/// and nothing reads it as framing.
final class ResponseHead {

  private static final int STATUS_BYTES = 3;

  private final byte[] bytes;
  private final int from;
  private final int end;
  private final Asked asked;
  private final FieldSection fields;

  private boolean http11;
  private int status;
  private int fieldsFrom;

  ResponseHead(byte[] bytes, int from, int end, Asked asked, HeadLimits limits) {
    this.bytes = bytes;
    this.from = from;
    this.end = end;
    this.asked = asked;
    this.fields = new FieldSection(bytes, end, limits.fields());
  }

  Verdict judge() {
    return readVersion()
        .or(this::readStatus)
        .or(this::readReason)
        .or(() -> fields.read(fieldsFrom))
        .or(() -> fields.contradiction(http11))
        .or(this::judgeSwitch)
        .or(this::judgeBody)
        .<Verdict>map(Verdict.Refused::new)
        .orElseGet(() -> new Verdict.Accepted(framing()));
  }

  private Framing framing() {
    if (isBodiless() || asked == Asked.HEAD || status == 304) {
      return Framing.NONE;
    }
    if (fields.isChunked) {
      return Framing.CHUNKED;
    }
    if (!fields.hasContentLength) {
      return Framing.UNTIL_CLOSE;
    }
    return fields.contentLength > 0 ? new Framing.Length(fields.contentLength) : Framing.NONE;
  }

  private Optional<Refusal> readVersion() {
    if (from + Version.BYTES >= end) {
      return Optional.of(Refusal.BAD_STATUS_LINE);
    }
    http11 = Version.isHttp11(bytes, from);
    if (!http11 && !Version.isHttp10(bytes, from)) {
      return Optional.of(Version.fault(bytes, from));
    }
    return bytes[from + Version.BYTES] == Octets.SP
        ? Optional.empty()
        : Optional.of(Refusal.BAD_STATUS_LINE);
  }

  private Optional<Refusal> readStatus() {
    int i = from + Version.BYTES + 1;
    int to = i + STATUS_BYTES;
    if (to >= end) {
      return Optional.of(Refusal.BAD_STATUS_LINE);
    }
    for (; i < to; i++) {
      if (!Octets.isDigit(bytes[i])) {
        return Optional.of(Refusal.BAD_STATUS_LINE);
      }
      status = status * 10 + bytes[i] - '0';
    }
    return status >= 100 && status <= 599 ? Optional.empty() : Optional.of(Refusal.BAD_STATUS_LINE);
  }

  private Optional<Refusal> readReason() {
    int i = from + Version.BYTES + 1 + STATUS_BYTES;
    if (bytes[i] == Octets.SP) {
      i++;
      while (i < end && isReasonByte(bytes[i])) {
        i++;
      }
    }
    fieldsFrom = i + 2;
    boolean valid = fieldsFrom <= end && bytes[i] == Octets.CR && bytes[i + 1] == Octets.LF;
    return valid ? Optional.empty() : Optional.of(Refusal.BAD_STATUS_LINE);
  }

  /// Old servers write reasons in their own language and encoding. No reader takes anything from a
  /// reason, and it does not travel on, so these bytes do not matter.
  private static boolean isReasonByte(byte b) {
    return b < 0 || Octets.isFieldByte(b);
  }

  private Optional<Refusal> judgeSwitch() {
    if (status != 101) {
      return Optional.empty();
    }
    if (asked != Asked.UPGRADE) {
      return Optional.of(Refusal.UNASKED_SWITCH);
    }
    return fields.hidesBody() ? Optional.of(Refusal.HIDDEN_BODY) : Optional.empty();
  }

  /// A length of zero on 204 and friends is wrong (RFC 9110 section 8.6) but common, and means the
  /// same to every reader.
  private Optional<Refusal> judgeBody() {
    return isBodiless() && fields.declaresBody()
        ? Optional.of(Refusal.BODY_ON_BODILESS_STATUS)
        : Optional.empty();
  }

  /// Answers that must not even describe a body; those to HEAD and 304 may.
  private boolean isBodiless() {
    return status < 200 || status == 204 || (asked == Asked.CONNECT && status < 300);
  }
}
