package io.penstock.codec.noise;

/// The two sides of a handshake with keys that are always the same, so that a test can have the
/// same handshake as often as it likes.
final class Parties {
  static final byte[] PROLOGUE = Hex.counting(0xa0, 20).bytes();
  static final Hex PSK = Hex.counting(0x80, 32);
  static final StaticKeyPair INITIATOR = StaticKeyPair.fromPrivate(Hex.counting(1, 32).bytes());
  static final StaticKeyPair RESPONDER = StaticKeyPair.fromPrivate(Hex.counting(33, 32).bytes());

  private Parties() {}

  static Handshake initiator(Suite suite) {
    var ephemerals = new FixedEphemerals(Hex.counting(0x40, 32), Hex.counting(7, 64));
    return withPsk(suite, new Handshake(suite.pattern(), true, PROLOGUE, INITIATOR, ephemerals));
  }

  static Handshake responder(Suite suite) {
    var ephemerals = new FixedEphemerals(Hex.counting(0x60, 32), Hex.counting(9, 32));
    return withPsk(suite, new Handshake(suite.pattern(), false, PROLOGUE, RESPONDER, ephemerals));
  }

  private static Handshake withPsk(Suite suite, Handshake handshake) {
    if (suite.usesPsk()) {
      handshake.psk(new PresharedKey(PSK.bytes()));
    }
    return handshake;
  }

  /// Both sides after the last message, not yet split.
  record Finished(Handshake initiator, Handshake responder) {}

  static Finished finish(Suite suite) throws HandshakeException {
    Handshake initiator = initiator(suite);
    Handshake responder = responder(suite);
    responder.readMessage(initiator.writeMessage(new byte[0]));
    initiator.readMessage(responder.writeMessage(new byte[0]));
    responder.readMessage(initiator.writeMessage(new byte[0]));
    return new Finished(initiator, responder);
  }
}
