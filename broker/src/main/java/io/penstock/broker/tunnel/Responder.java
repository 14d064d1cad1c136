package io.penstock.broker.tunnel;

import io.penstock.broker.tunnel.TunnelAuthority.NodeCredentials;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.Messages;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.session.SessionCore.Established;
import org.jspecify.annotations.Nullable;

/// The broker's side of one handshake (`docs/protocol.md`, section 2): messages in, messages out.
/// Slow, so it runs on a worker; one call at a time.
final class Responder {
  private final NodeCredentials node;
  private final Handshake handshake;
  private final boolean enrolling;
  private @Nullable EnrollHello hello;
  private byte @Nullable [] hashBefore;

  Responder(UpgradeRequest request, NodeCredentials node) {
    this.node = node;
    enrolling = request.suite().usesPsk();
    handshake = Handshake.responder(request.suite(), request.prologue(), node.staticKey());
  }

  /// Message 1 to message 2.
  byte[] answer(byte[] first, long serverTimeMs) throws HandshakeException, ProtocolException {
    byte[] payload = handshake.readMessage(first);
    if (enrolling) {
      hello = Messages.decode(payload, EnrollHello.class);
    } else if (payload.length > 0) {
      throw new HandshakeException("message 1 of a connection has no payload");
    }
    var shown =
        new NodeHello(
            node.certificate(), node.keyset(), node.root(), serverTimeMs, node.crossSignatures());
    byte[] second = handshake.writeMessage(Messages.encode(shown));
    hashBefore = handshake.hash();
    return second;
  }

  /// Of message 1 of an enrollment.
  EnrollHello hello() {
    if (hello == null) {
      throw new IllegalStateException("message 1 was no enrollment");
    }
    return hello;
  }

  byte[] hashBefore() {
    if (hashBefore == null) {
      throw new IllegalStateException("message 2 is not written");
    }
    return hashBefore;
  }

  /// Message 3 of an ordinary connection.
  ConnectRequest connect(byte[] third) throws HandshakeException, ProtocolException {
    return Messages.decode(handshake.readMessage(third), ConnectRequest.class);
  }

  /// The payload of message 3 of an enrollment. Fails with a wrong secret.
  byte[] enroll(byte[] third, PresharedKey psk) throws HandshakeException {
    handshake.psk(psk);
    return handshake.readMessage(third);
  }

  static EnrollRequest enrollRequest(byte[] payload) throws ProtocolException {
    return Messages.decode(payload, EnrollRequest.class);
  }

  /// After message 3.
  PublicKey dev() {
    return handshake.remoteStatic();
  }

  /// After message 3, once.
  Established established() {
    return new Established(
        Role.BROKER, handshake.split(), handshake.hash(), node.staticKey(), dev());
  }
}
