package io.penstock.broker.tunnel;

import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.CrossSignature;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.noise.StaticKeyPair;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who may hold a tunnel. Everything but [#node] may block and is called on a virtual thread, one
/// per connection, never on an event loop.
public interface TunnelAuthority {

  /// What this node shows in message 2: cached, never blocks.
  NodeCredentials node();

  /// The psk of an enrollment token. For a token that cannot be used (unknown, spent, expired,
  /// outside its networks) a random one: the handshake then fails like with a wrong secret.
  PresharedKey enrollmentKey(EnrollHello hello, InetAddress remote);

  /// Message 3 of an enrollment verified: consumes the token, asks for the proof, keeps the agent
  /// waiting for its approval. Returns when nothing is left to say.
  void enroll(EnrollmentAttempt attempt, ControlChannel channel) throws TunnelRefused;

  /// The psk handshake failed at message 3: wrong secret, or a token that [#enrollmentKey] refused.
  /// Audits and counts.
  void enrollmentFailed(EnrollHello hello, InetAddress remote);

  /// Message 3 of an ordinary connection verified: WELCOME to UNLOCK_COMMIT, or PENDING. Calls
  /// [ControlChannel#admit] once the session may carry streams.
  void connect(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused;

  /// An admitted agent wants new identity keys; IDENTITY_STORED is sent on its session.
  void identityNext(LiveSession session, IdentityNext next);

  /// An admitted session is over.
  void closed(LiveSession session, String reason);

  /// @param staticKey Noise static key of this node, certified for 24 h
  /// @param certificate compact JWS
  /// @param keyset compact JWS
  /// @param root raw Ed25519 public key
  /// @param crossSignatures from older roots, oldest first; null = there are none
  record NodeCredentials(
      StaticKeyPair staticKey,
      String certificate,
      String keyset,
      byte[] root,
      @Nullable List<CrossSignature> crossSignatures) {
    public NodeCredentials {
      crossSignatures = crossSignatures == null ? null : List.copyOf(crossSignatures);
    }
  }

  /// @param dev the handshake's static key of the agent
  /// @param hash handshake hash after message 3
  record ConnectionAttempt(
      ConnectRequest request, PublicKey dev, byte[] hash, InetAddress remote) {}

  /// @param hashBefore handshake hash after message 2, which `request.signature` covers
  /// @param hash handshake hash after message 3
  record EnrollmentAttempt(
      EnrollHello hello,
      EnrollRequest request,
      PublicKey dev,
      byte[] hashBefore,
      byte[] hash,
      InetAddress remote) {}
}
