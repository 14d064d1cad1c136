package io.penstock.codec.noise;

/// A handshake that cannot go on: the peer's message is bad, or a call came out of turn. The
/// [Handshake] it came from is dead. It carries no stack trace and no cause, because a stranger can
/// provoke it at will; its message is a fixed string that never repeats what the peer sent.
public final class HandshakeException extends Exception {
  public HandshakeException(String message) {
    super(message, null, false, false);
  }
}
