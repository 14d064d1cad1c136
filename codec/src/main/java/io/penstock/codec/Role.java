package io.penstock.codec;

/// The two ends of a tunnel. Each opens streams of its own parity (`docs/protocol.md`, section 5).
public enum Role {
  AGENT(1),
  BROKER(2);

  private final int firstStreamId;

  Role(int firstStreamId) {
    this.firstStreamId = firstStreamId;
  }

  public int firstStreamId() {
    return firstStreamId;
  }

  /// Whether this side is the one that opens `streamId`.
  public boolean opens(int streamId) {
    return (streamId & 1) == (firstStreamId & 1);
  }
}
