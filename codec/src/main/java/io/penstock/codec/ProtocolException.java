package io.penstock.codec;

/// The peer broke the protocol. The code says whether a stream or the session ends (section 7).
/// The message is for our own log: it names the thing, the expected and the found, and never holds
/// payload.
public final class ProtocolException extends Exception {
  private final ErrorCode code;

  public ProtocolException(ErrorCode code, String message) {
    // No stack trace: a stranger can cause these by the million.
    super(message, null, false, false);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }
}
