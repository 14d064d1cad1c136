package io.penstock.codec;

/// The wire's errors (`docs/protocol.md`, section 7). The number travels, the name is for people.
public enum ErrorCode {
  NO_ERROR(0, Ends.STREAM),
  PROTOCOL_ERROR(1, Ends.SESSION),
  FRAME_SIZE(2, Ends.SESSION),
  BAD_RECORD(3, Ends.SESSION),
  STREAM_ID(4, Ends.SESSION),
  STREAM_STATE(5, Ends.STREAM),
  CREDIT_EXCEEDED(6, Ends.SESSION),
  RATE_EXCEEDED(7, Ends.SESSION),
  OVERLOADED(8, Ends.STREAM),
  UNKNOWN_TARGET(9, Ends.STREAM),
  NOT_EXPOSED(10, Ends.STREAM),
  CONNECT_FAILED(11, Ends.STREAM),
  SYSTEM_CLOSED(12, Ends.STREAM),
  DEADLINE(13, Ends.STREAM),
  TOO_LARGE(14, Ends.STREAM),
  CANCELLED(15, Ends.STREAM),
  BAD_REQUEST(16, Ends.STREAM),
  BAD_ANSWER(17, Ends.STREAM),
  DRAINING(18, Ends.STREAM),
  INTERNAL(19, Ends.STREAM),
  SILENT(20, Ends.SESSION),
  REPLACED(21, Ends.SESSION),
  REVOKED(22, Ends.AGENT),
  QUARANTINED(23, Ends.SESSION),
  HANDSHAKE(24, Ends.SESSION),
  ENROLL_DENIED(25, Ends.AGENT),
  VERSION(26, Ends.AGENT),
  UNAVAILABLE(27, Ends.SESSION),
  SHUTDOWN(28, Ends.SESSION),
  UNKNOWN_AGENT(29, Ends.AGENT);

  /// How far an error reaches. AGENT: the session ends, and trying again is pointless.
  public enum Ends {
    STREAM,
    SESSION,
    AGENT
  }

  private static final ErrorCode[] BY_NUMBER = values();

  private final int number;
  private final Ends ends;

  ErrorCode(int number, Ends ends) {
    this.number = number;
    this.ends = ends;
  }

  public int number() {
    return number;
  }

  public Ends ends() {
    return ends;
  }

  /// The code of a number from the wire; a number from a newer peer reads as INTERNAL.
  public static ErrorCode of(int number) {
    return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : INTERNAL;
  }
}
