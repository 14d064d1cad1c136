package io.penstock.codec.http;

/// Why the gate refuses a message: the status a caller gets (a system's answer with the same fault
/// is a 502) and a fixed sentence that never echoes what was sent.
public enum Refusal {
  BARE_LINE_END(400, "a line does not end with CRLF"),
  OBS_FOLD(400, "a field continues on a second line"),
  BAD_FIELD_NAME(400, "a field name is not a token followed by a colon"),
  BAD_FIELD_VALUE(400, "a field value holds a control or non-ASCII byte"),
  LOOKALIKE_NAME(400, "a field name differs from a known one only by punctuation"),
  HEAD_TOO_LARGE(431, "the head is over its limit"),
  TOO_MANY_FIELDS(431, "the head has too many fields"),

  BAD_METHOD(400, "the method is not a token of at most 32 characters"),
  RESERVED_METHOD(400, "the method is reserved for the preface of HTTP/2"),
  BAD_REQUEST_LINE(400, "the request line is not method, target and version with single spaces"),
  BAD_TARGET(400, "the request target does not fit the method"),
  FRAGMENT_IN_TARGET(400, "the request target has a fragment"),
  BAD_VERSION(400, "the version is not HTTP/1.1 or HTTP/1.0"),
  UNKNOWN_VERSION(505, "the version is not HTTP/1.1 or HTTP/1.0"),
  HOST_COUNT(400, "there is not exactly one Host"),
  BAD_HOST(400, "the Host is not a host with an optional port"),
  OTHER_AUTHORITY(400, "the target names another authority than Host"),

  BAD_TRANSFER_ENCODING(400, "the Transfer-Encoding is not exactly chunked"),
  REPEATED_TRANSFER_ENCODING(400, "there is more than one Transfer-Encoding"),
  TRANSFER_ENCODING_ON_HTTP_1_0(400, "HTTP/1.0 has no Transfer-Encoding"),
  TWO_FRAMINGS(400, "there are both Transfer-Encoding and Content-Length"),
  REPEATED_CONTENT_LENGTH(400, "there is more than one Content-Length"),
  BAD_CONTENT_LENGTH(400, "the Content-Length is not a plain decimal number"),
  CONNECTION_NAMES_FRAMING(400, "Connection names a field that frames or routes the message"),
  BODY_WITHOUT_MEANING(400, "a message that switches protocols or is only traced carries a body"),
  HIDDEN_BODY(400, "a handshake of a withdrawn WebSocket draft carries an undeclared body"),
  BAD_EXPECTATION(417, "the expectation is not 100-continue"),

  BAD_STATUS_LINE(502, "the status line is not version, status and reason"),
  BODY_ON_BODILESS_STATUS(502, "a status without body declares one"),
  UNASKED_SWITCH(502, "the answer switches protocols unasked"),
  TOO_MANY_INTERIM_ANSWERS(502, "there are too many interim answers"),
  UNSOLICITED_ANSWER(502, "bytes came that no request asked for"),

  BAD_CHUNK_SIZE(400, "a chunk size is not one to eight hexadecimal digits"),
  BAD_CHUNK_EXTENSION(400, "a chunk extension is not a token with an optional token value"),
  CHUNK_LINE_TOO_LONG(400, "a chunk line is over its limit"),
  BAD_CHUNK_END(400, "a chunk does not end with CRLF"),
  BAD_TRAILER(400, "a trailer is malformed"),
  FORBIDDEN_TRAILER(400, "a trailer frames, routes or authenticates the message"),
  TRAILERS_TOO_LARGE(431, "the trailers are over their limit"),
  CLOSED_WITHIN_BODY(400, "the connection closed within a body"),

  /// The parser behind the gate read something else than the gate. Never seen; the reason this
  /// exists is that it must not pass if it ever is.
  PARSERS_DISAGREE(400, "the message has more than one reading");

  private final int status;
  private final String sentence;

  Refusal(int status, String sentence) {
    this.status = status;
    this.sentence = sentence;
  }

  /// What a caller is answered with; an agent maps every refusal of a system's answer to 502.
  public int status() {
    return status;
  }

  /// For people; holds nothing of the refused message.
  public String sentence() {
    return sentence;
  }
}
