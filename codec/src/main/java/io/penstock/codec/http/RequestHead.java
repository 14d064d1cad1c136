package io.penstock.codec.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Optional;

/// One request head under judgement: `method SP target SP version CRLF *(field CRLF) CRLF` (RFC
/// 9112 section 2.1), with none of the leniencies that section allows.
final class RequestHead {

  private static final int MAX_METHOD_BYTES = 32;
  private static final byte[] CONNECT = "connect".getBytes(US_ASCII);
  private static final byte[] OPTIONS = "options".getBytes(US_ASCII);
  private static final byte[] PRI = "pri".getBytes(US_ASCII);
  private static final byte[] TRACE = "trace".getBytes(US_ASCII);
  private static final byte[] HTTP = "http://".getBytes(US_ASCII);
  private static final byte[] HTTPS = "https://".getBytes(US_ASCII);

  private final byte[] bytes;
  private final int from;
  private final int end;
  private final FieldSection fields;

  private int methodTo;
  private int targetFrom;
  private int targetTo;
  private int fieldsFrom;
  private boolean http11;

  RequestHead(byte[] bytes, int from, int end, HeadLimits limits) {
    this.bytes = bytes;
    this.from = from;
    this.end = end;
    this.fields = new FieldSection(bytes, end, limits.fields());
  }

  Verdict judge() {
    return readMethod()
        .or(this::readTarget)
        .or(this::readVersion)
        .or(() -> fields.read(fieldsFrom))
        .or(this::judgeHost)
        .or(this::judgeTarget)
        .or(() -> fields.contradiction(http11))
        .or(this::judgeBody)
        .<Verdict>map(Verdict.Refused::new)
        .orElseGet(() -> new Verdict.Accepted(framing()));
  }

  private Framing framing() {
    if (fields.isChunked) {
      return Framing.CHUNKED;
    }
    return fields.contentLength > 0 ? new Framing.Length(fields.contentLength) : Framing.NONE;
  }

  private Optional<Refusal> readMethod() {
    int i = from;
    while (i < end && Octets.isToken(bytes[i])) {
      i++;
    }
    methodTo = i;
    boolean valid = i > from && i - from <= MAX_METHOD_BYTES && i < end && bytes[i] == Octets.SP;
    if (!valid) {
      return Optional.of(Refusal.BAD_METHOD);
    }
    // RFC 9113 section 3.4: a reader of HTTP/2 behind us would take the rest for frames.
    return isMethod(PRI) ? Optional.of(Refusal.RESERVED_METHOD) : Optional.empty();
  }

  private Optional<Refusal> readTarget() {
    targetFrom = methodTo + 1;
    boolean fragment = false;
    int i = targetFrom;
    while (i < end && Octets.isVisible(bytes[i])) {
      fragment |= bytes[i] == '#';
      i++;
    }
    targetTo = i;
    if (i == targetFrom || i == end || bytes[i] != Octets.SP) {
      return Optional.of(Refusal.BAD_REQUEST_LINE);
    }
    return fragment ? Optional.of(Refusal.FRAGMENT_IN_TARGET) : Optional.empty();
  }

  private Optional<Refusal> readVersion() {
    int i = targetTo + 1;
    fieldsFrom = i + Version.BYTES + 2;
    if (fieldsFrom > end
        || bytes[fieldsFrom - 2] != Octets.CR
        || bytes[fieldsFrom - 1] != Octets.LF) {
      return Optional.of(Refusal.BAD_VERSION);
    }
    http11 = Version.isHttp11(bytes, i);
    return http11 || Version.isHttp10(bytes, i)
        ? Optional.empty()
        : Optional.of(Version.fault(bytes, i));
  }

  private Optional<Refusal> judgeHost() {
    if (fields.hosts != 1) {
      return Optional.of(Refusal.HOST_COUNT);
    }
    return HostSyntax.isValid(bytes, fields.hostFrom, fields.hostTo)
        ? Optional.empty()
        : Optional.of(Refusal.BAD_HOST);
  }

  /// RFC 9112 section 3.2: each form with the methods it is meant for.
  private Optional<Refusal> judgeTarget() {
    if (isMethod(CONNECT)) {
      return judgeAuthorityForm();
    }
    if (bytes[targetFrom] == '/') {
      return judgeOriginForm();
    }
    if (bytes[targetFrom] == '*') {
      boolean fits = targetTo - targetFrom == 1 && isMethod(OPTIONS);
      return fits ? Optional.empty() : Optional.of(Refusal.BAD_TARGET);
    }
    return judgeAbsoluteForm();
  }

  /// A target that begins with two slashes is a path to one reader and an authority to another (RFC
  /// 3986 section 4.2).
  private Optional<Refusal> judgeOriginForm() {
    boolean networkPath = targetTo - targetFrom > 1 && bytes[targetFrom + 1] == '/';
    return networkPath ? Optional.of(Refusal.BAD_TARGET) : Optional.empty();
  }

  private Optional<Refusal> judgeAbsoluteForm() {
    int authorityFrom = targetFrom + schemeBytes();
    if (authorityFrom == targetFrom) {
      return Optional.of(Refusal.BAD_TARGET);
    }
    int i = authorityFrom;
    while (i < targetTo && bytes[i] != '/' && bytes[i] != '?') {
      i++;
    }
    return isHost(authorityFrom, i) ? Optional.empty() : Optional.of(Refusal.OTHER_AUTHORITY);
  }

  private int schemeBytes() {
    if (startsWith(HTTP)) {
      return HTTP.length;
    }
    return startsWith(HTTPS) ? HTTPS.length : 0;
  }

  private boolean startsWith(byte[] scheme) {
    int to = targetFrom + scheme.length;
    return to <= targetTo && Octets.equalsIgnoringCase(bytes, targetFrom, to, scheme);
  }

  /// Some clients send CONNECT with the port in the target only.
  private Optional<Refusal> judgeAuthorityForm() {
    if (!HostSyntax.isValidWithPort(bytes, targetFrom, targetTo)) {
      return Optional.of(Refusal.BAD_TARGET);
    }
    boolean same =
        isHost(targetFrom, targetTo)
            || isHost(targetFrom, HostSyntax.hostEnd(bytes, targetFrom, targetTo));
    return same ? Optional.empty() : Optional.of(Refusal.OTHER_AUTHORITY);
  }

  private boolean isHost(int authorityFrom, int authorityTo) {
    return Octets.sameIgnoringCase(
        bytes, authorityFrom, authorityTo, fields.hostFrom, fields.hostTo);
  }

  /// Behind an Upgrade or CONNECT one reader sees a body, another already the new protocol; a TRACE
  /// body must not exist (RFC 9110 section 9.3.8).
  private Optional<Refusal> judgeBody() {
    if (fields.hidesBody()) {
      return Optional.of(Refusal.HIDDEN_BODY);
    }
    boolean meaningless = fields.asksUpgrade || isMethod(CONNECT) || isMethod(TRACE);
    return meaningless && fields.declaresBody()
        ? Optional.of(Refusal.BODY_WITHOUT_MEANING)
        : Optional.empty();
  }

  /// In any case: a reader that folds the case of methods must not come to another conclusion.
  private boolean isMethod(byte[] lowerCase) {
    return Octets.equalsIgnoringCase(bytes, from, methodTo, lowerCase);
  }
}
