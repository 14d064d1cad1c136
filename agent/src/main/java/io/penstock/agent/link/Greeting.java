package io.penstock.agent.link;

import io.netty.buffer.ByteBufAllocator;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.IdentityException;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.NodeHello;
import io.penstock.codec.message.Messages;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.session.Clock;
import io.penstock.codec.session.SessionCore;
import io.penstock.codec.session.Worker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The Noise handshake of one dial, from the agent's side (`docs/protocol.md`, section 2). On the
/// slot's thread.
final class Greeting {
  private final RecordSocket socket;
  private final StaticKeyPair dev;
  private final Handshake handshake;
  private @Nullable OwnerTrust owner;

  private Greeting(RecordSocket socket, StaticKeyPair dev, Handshake handshake) {
    this.socket = socket;
    this.dev = dev;
    this.handshake = handshake;
  }

  static Greeting connect(RecordSocket socket, BrokerAddress broker, StaticKeyPair dev) {
    byte[] prologue = prologue(Protocol.SUBPROTOCOL_CONNECT, broker);
    return new Greeting(socket, dev, Handshake.initiator(Suite.XXHFS, prologue, dev));
  }

  static Greeting enroll(
      RecordSocket socket, BrokerAddress broker, StaticKeyPair dev, PresharedKey psk) {
    byte[] prologue = prologue(Protocol.SUBPROTOCOL_ENROLL, broker);
    Handshake handshake = Handshake.initiator(Suite.XXHFS_PSK3, prologue, dev);
    handshake.psk(psk);
    return new Greeting(socket, dev, handshake);
  }

  /// Suite, host and version: a middleman who changes one breaks the handshake.
  private static byte[] prologue(String subprotocol, BrokerAddress broker) {
    return ("penstock/1 " + subprotocol + " " + broker.hostHeader())
        .getBytes(StandardCharsets.US_ASCII);
  }

  /// Messages 1 and 2. Afterwards the broker is known to be the pinned owner's.
  void exchange(byte[] hello, Identity identity) throws LinkFailure, InterruptedException {
    try {
      socket.send(handshake.writeMessage(hello));
      byte[] answer =
          handshake.readMessage(socket.receive(Duration.ofMillis(Protocol.HANDSHAKE_TIMEOUT_MS)));
      NodeHello node = Messages.decode(answer, NodeHello.class);
      owner = OwnerTrust.of(node, handshake.remoteStatic(), identity);
    } catch (HandshakeException | ProtocolException broken) {
      throw LinkFailure.at(
          Stage.HANDSHAKE, "the broker's answer does not hold: " + broken.getMessage());
    } catch (IdentityException notTheOwner) {
      throw LinkFailure.at(Stage.HANDSHAKE, String.valueOf(notTheOwner.getMessage()));
    } catch (IOException disk) {
      throw LinkFailure.at(
          Stage.HANDSHAKE, "cannot store what is known of the owner's keys: " + disk);
    }
  }

  /// Handshake hash so far.
  byte[] hash() {
    return handshake.hash();
  }

  /// The owner's keys, once [#exchange] has checked them.
  OwnerTrust owner() {
    if (owner == null) {
      throw new IllegalStateException("the broker is not known yet");
    }
    return owner;
  }

  /// Message 3; from then on records flow.
  Session finish(ControlMessage request, Loop loop, Session.Duties duties)
      throws LinkFailure, InterruptedException {
    byte[] last;
    SessionCore.Established established;
    try {
      last = handshake.writeMessage(Messages.encode(request));
      established =
          new SessionCore.Established(
              Role.AGENT, handshake.split(), handshake.hash(), dev, handshake.remoteStatic());
    } catch (HandshakeException broken) {
      throw LinkFailure.at(Stage.HANDSHAKE, String.valueOf(broken.getMessage()));
    }
    return socket.establish(last, listener -> core(established, loop, listener), duties);
  }

  private static SessionCore core(
      SessionCore.Established established, Loop loop, SessionCore.Listener listener) {
    return new SessionCore(
        established,
        Protocol.DEFAULT_MAX_STREAMS,
        loop.creditPool(),
        Clock.SYSTEM,
        offload(loop),
        loop.scratch(),
        ByteBufAllocator.DEFAULT,
        listener);
  }

  private static Worker offload(Loop loop) {
    return work ->
        Thread.ofVirtual().name("keys").start(() -> loop.eventLoop().execute(work.get()));
  }
}
