package io.penstock.broker.agents;

import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.broker.tunnel.TunnelAuthority.EnrollmentAttempt;
import io.penstock.broker.tunnel.TunnelAuthority.NodeCredentials;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.SigningKey;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// An agent with real keys and real handshakes, which a test leads through the protocol step by
/// step. Its disk is an object: a restart keeps it, a clone copies it.
final class TestAgent {
  private static final byte[] PROLOGUE =
      "penstock/1 test broker".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  private static final SecureRandom RANDOM = new SecureRandom();

  private final TestBroker broker;
  final String name;
  final Disk disk;
  byte[] bootId = random(16);
  InetAddress address = InetAddress.ofLiteral("198.51.100.4");
  SealingKey sealing = Hpke.generate(RANDOM);
  SigningKey signing = SigningKey.generate(RANDOM);

  /// Sent instead of the right one.
  Optional<byte[]> signature = Optional.empty();

  /// What outlives the process.
  static final class Disk {
    StaticKeyPair current = StaticKeyPair.generate();
    byte[] currentBundle = random(300);
    @Nullable StaticKeyPair next;
    byte[] nextBundle = {};
    long unlockEpoch;
    int generation = 1;

    Disk copy() {
      var copy = new Disk();
      copy.current = current;
      copy.currentBundle = currentBundle;
      copy.next = next;
      copy.nextBundle = nextBundle;
      copy.unlockEpoch = unlockEpoch;
      copy.generation = generation;
      return copy;
    }
  }

  TestAgent(TestBroker broker, String name) {
    this(broker, name, new Disk());
  }

  private TestAgent(TestBroker broker, String name, Disk disk) {
    this.broker = broker;
    this.name = name;
    this.disk = disk;
  }

  /// The process dies and comes again: a new boot id, a written next is discarded.
  void restart() {
    bootId = random(16);
    disk.next = null;
  }

  /// Another machine with a copy of the disk, and of nothing else; the identity comes with the
  /// bundle, which its unlock secret opens.
  TestAgent cloneOfDisk() {
    var clone = new TestAgent(broker, name, disk.copy());
    clone.sealing = sealing;
    clone.signing = signing;
    return clone;
  }

  /// Message 1 to 3 with the token; then the broker's thread goes on alone.
  TestTunnel enroll(EnrollmentToken token) {
    return enroll(token, token.secret().bytes());
  }

  TestTunnel enroll(EnrollmentToken token, byte[] secret) {
    var hello = new EnrollHello(token.id().bytes(), "1.0");
    var channel = new FakeChannel(broker.sessions, address);
    try {
      Shaken shaken = shake(Suite.XXHFS_PSK3, Optional.of(hello), secret);
      if (shaken.failed()) {
        broker.authority().enrollmentFailed(hello, address);
        return TestTunnel.handshakeFailed(this, channel);
      }
      EnrollRequest request = enrollRequest(shaken.hashBefore());
      var attempt =
          new EnrollmentAttempt(
              hello,
              request,
              disk.current.publicKey(),
              shaken.hashBefore(),
              shaken.hash(),
              address);
      return TestTunnel.run(
          this, channel, shaken.hash(), () -> broker.authority().enroll(attempt, channel));
    } catch (HandshakeException impossible) {
      throw new AssertionError(impossible);
    }
  }

  TestTunnel connect() {
    return connect(disk.current, 0);
  }

  TestTunnel connect(int slot) {
    return connect(disk.current, slot);
  }

  TestTunnel connect(StaticKeyPair dev, int slot) {
    var channel = new FakeChannel(broker.sessions, address);
    try {
      Shaken shaken = shake(Suite.XXHFS, dev);
      var request =
          new ConnectRequest(
              name,
              disk.generation,
              disk.unlockEpoch,
              slot,
              bootId,
              "1.0",
              List.of(),
              new byte[32],
              null);
      var attempt = new ConnectionAttempt(request, dev.publicKey(), shaken.hash(), address);
      return TestTunnel.run(
          this, channel, shaken.hash(), () -> broker.authority().connect(attempt, channel));
    } catch (HandshakeException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /// Enrolled and approved, disconnected.
  TestAgent approved() {
    return approved(broker.tokenFor(name));
  }

  TestAgent approved(EnrollmentToken token) {
    TestTunnel tunnel = enroll(token);
    tunnel.prove();
    tunnel.pending();
    Outcome decision = broker.approve(name, tunnel.fingerprint());
    if (!decision.equals(new Outcome.Done())) {
      throw new AssertionError("not approved: " + decision);
    }
    disk.generation = tunnel.approvedGeneration();
    tunnel.hangUp();
    return this;
  }

  /// A handshake's outcome; `hash` is the one after message 2 when message 3 did not open.
  private record Shaken(byte[] hashBefore, byte[] hash, boolean failed) {}

  private Shaken shake(Suite suite, StaticKeyPair dev) throws HandshakeException {
    return shake(suite, dev, Optional.empty(), new byte[0]);
  }

  private Shaken shake(Suite suite, Optional<EnrollHello> hello, byte[] secret)
      throws HandshakeException {
    return shake(suite, disk.current, hello, secret);
  }

  private Shaken shake(Suite suite, StaticKeyPair dev, Optional<EnrollHello> hello, byte[] secret)
      throws HandshakeException {
    NodeCredentials node = broker.authority().node();
    Handshake ours = Handshake.initiator(suite, PROLOGUE, dev);
    Handshake theirs = Handshake.responder(suite, PROLOGUE, node.staticKey());
    theirs.readMessage(ours.writeMessage(new byte[0]));
    if (hello.isPresent()) {
      theirs.psk(broker.authority().enrollmentKey(hello.get(), address));
      ours.psk(new PresharedKey(secret));
    }
    ours.readMessage(theirs.writeMessage(new byte[0]));
    byte[] before = ours.hash();
    byte[] message3 = ours.writeMessage(new byte[0]);
    try {
      theirs.readMessage(message3);
    } catch (HandshakeException _) {
      return new Shaken(before, before, true);
    }
    return new Shaken(before, theirs.hash(), false);
  }

  private EnrollRequest enrollRequest(byte[] hashBefore) {
    byte[] sealingPublic = sealing.publicKey().bytes();
    byte[] signingPublic = signing.verifyingKey().octets().bytes();
    byte[] signature =
        signing.sign(
            SignedTexts.enroll(
                hashBefore,
                disk.current.publicKey().bytes(),
                sealingPublic,
                signingPublic,
                disk.currentBundle));
    return new EnrollRequest(
        name,
        sealingPublic,
        signingPublic,
        disk.currentBundle,
        new HostFacts("plant-7", "Linux", "1.0"),
        bootId,
        this.signature.orElse(signature));
  }

  static byte[] random(int length) {
    byte[] bytes = new byte[length];
    RANDOM.nextBytes(bytes);
    return bytes;
  }
}
