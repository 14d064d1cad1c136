package io.penstock.codec.noise;

import java.security.SecureRandom;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// The computation of one handshake, with empty payloads: all messages of one side, up to the keys
/// of the session. The ephemeral keys of a side are the same each time, so that the other side's
/// messages, made beforehand, fit; they are computed all the same.
@State(Scope.Thread)
public class HandshakeBench {
  private static final byte[] NOTHING = {};

  @Param({"XXHFS", "XXHFS_PSK3"})
  Suite suite = Suite.XXHFS;

  private final StaticKeyPair agent = StaticKeyPair.generate();
  private final StaticKeyPair broker = StaticKeyPair.generate();

  private byte[] first = {};
  private byte[] second = {};
  private byte[] third = {};

  @Setup
  public void shakeHands() throws HandshakeException {
    Handshake initiator = side(true, agent);
    Handshake responder = side(false, broker);
    first = initiator.writeMessage(NOTHING);
    responder.readMessage(first);
    second = responder.writeMessage(NOTHING);
    initiator.readMessage(second);
    third = initiator.writeMessage(NOTHING);
    responder.readMessage(third);
  }

  /// The agent's side.
  @Benchmark
  public Transport initiator() throws HandshakeException {
    Handshake initiator = side(true, agent);
    initiator.writeMessage(NOTHING);
    initiator.readMessage(second);
    initiator.writeMessage(NOTHING);
    return initiator.split();
  }

  /// The broker's side.
  @Benchmark
  public Transport responder() throws HandshakeException {
    Handshake responder = side(false, broker);
    responder.readMessage(first);
    responder.writeMessage(NOTHING);
    responder.readMessage(third);
    return responder.split();
  }

  private Handshake side(boolean initiator, StaticKeyPair own) {
    var handshake =
        new Handshake(suite.pattern(), initiator, NOTHING, own, new SameEphemerals(initiator));
    if (suite.usesPsk()) {
      handshake.psk(new PresharedKey(new byte[PresharedKey.BYTES]));
    }
    return handshake;
  }

  private record SameEphemerals(boolean initiator) implements Ephemerals {
    @Override
    public X25519 x25519() {
      byte[] key = new byte[X25519.BYTES];
      random().nextBytes(key);
      return X25519.fromPrivate(key);
    }

    @Override
    public SecureRandom kem() {
      return new Repeated(random());
    }

    private Random random() {
      return new Random(initiator ? 1 : 2);
    }
  }

  /// No randomness at all.
  private static final class Repeated extends SecureRandom {
    private final Random source;

    Repeated(Random source) {
      this.source = source;
    }

    @Override
    public void nextBytes(byte[] bytes) {
      source.nextBytes(bytes);
    }
  }
}
