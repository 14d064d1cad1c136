package io.penstock.loadtest.fleet;

/// Hears what brokers send to a fleet. On event loops; the bytes are the hearer's own.
public interface Tap {
  /// One WebSocket record, as it travels under TLS.
  void record(byte[] bytes);

  /// One message's body, decrypted by the session.
  void message(byte[] body);
}
