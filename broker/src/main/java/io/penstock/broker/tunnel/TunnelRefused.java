package io.penstock.broker.tunnel;

import io.penstock.codec.ErrorCode;

/// A tunnel that may not be: it gets CLOSE with this code and text, and is closed. The text goes to
/// the peer: a fixed string without anything it sent.
public final class TunnelRefused extends Exception {
  private final ErrorCode code;
  private final int retryAfterMs;

  public TunnelRefused(ErrorCode code, int retryAfterMs, String text) {
    super(text, null, false, false);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  public ErrorCode code() {
    return code;
  }

  public int retryAfterMs() {
    return retryAfterMs;
  }
}
