package io.penstock.broker.tunnel;

import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.VerifyingKey;
import java.time.Duration;
import java.util.Optional;

/// The control messages of one tunnel, for straight-line code on a virtual thread. Its inbox holds
/// at most 16 messages; a peer that sends more ends its session.
public interface ControlChannel {
  void send(ControlMessage message);

  /// Waits for exactly this message. Another one, silence or a closed tunnel is a refusal.
  <M extends ControlMessage> M receive(Class<M> expected, Duration within) throws TunnelRefused;

  /// The session may carry streams from now on and is seen by routing; a session of the same agent
  /// and slot with an older epoch is closed with REPLACED.
  /// Messages that arrive later (EFFECTIVE_RULES) go to the session, not to this inbox; UNLOCK_*
  /// still come here.
  LiveSession admit(Admission admission);

  /// Waits until the tunnel is closed, at most `within`. True when it is closed.
  boolean awaitClosed(Duration within);

  boolean isOpen();

  /// Who was admitted.
  ///
  /// @param slot 0 … tunnels-1
  /// @param bootId random id of the agent's process
  /// @param stateDigest of what it had applied when it dialled; empty = it did not say
  /// @param signingKey READY was signed by it, and so are all receipts of this session
  /// @param handshakeHash after message 3
  record Admission(
      String agent,
      String site,
      int generation,
      int slot,
      long sessionEpoch,
      byte[] bootId,
      Optional<Octets> stateDigest,
      VerifyingKey signingKey,
      Octets handshakeHash) {}
}
