package io.penstock.codec;

/// What a stream carries (`docs/protocol.md`, section 5).
public enum StreamKind {
  HTTP(1),
  WEBSOCKET(2),
  TCP(3),
  TYPED(4),
  CONFIG(5),
  TELEMETRY(6),
  LOG(7),
  DIAGNOSTIC(8);

  /// The system name that a DIAGNOSTIC stream addresses to reach the peer itself.
  public static final String PROBE_SYSTEM = "penstock";

  private final int number;

  StreamKind(int number) {
    this.number = number;
  }

  public int number() {
    return number;
  }

  static StreamKind of(int number) throws ProtocolException {
    for (StreamKind kind : values()) {
      if (kind.number == number) {
        return kind;
      }
    }
    // Of a newer peer: this stream cannot be served, the others go on.
    throw new ProtocolException(
        ErrorCode.BAD_REQUEST, "expected a stream kind from 1 to 8, found " + number);
  }
}
