package io.penstock.codec.session;

import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.Role;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.noise.Transport;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The fresh handshake inside a running session (`docs/protocol.md`, section 3). It answers steps
/// with steps; [SessionCore] switches the keys.
final class FreshKeys {
  /// What a step led to: a frame to send, and the new keys once they are known.
  record Outcome(int step, byte[] message, @Nullable Transport keys, byte @Nullable [] hash) {}

  private static final byte[] NOTHING = {};

  private final Role role;
  private final StaticKeyPair own;
  private final PublicKey peer;
  private final Worker worker;
  private @Nullable Handshake handshake;
  private int expectedStep;

  FreshKeys(Role role, StaticKeyPair own, PublicKey peer, Worker worker) {
    this.role = role;
    this.own = own;
    this.peer = peer;
    this.worker = worker;
    expectedStep = role == Role.BROKER ? 1 : 0;
  }

  boolean underWay() {
    return handshake != null;
  }

  /// Agent: begins with step 1.
  void begin(byte[] sessionHash, Consumer<Outcome> then, Consumer<ProtocolException> failed) {
    Handshake fresh = Handshake.initiator(Suite.XXHFS, prologue(sessionHash), own);
    handshake = fresh;
    expectedStep = 2;
    offload(() -> new Outcome(1, fresh.writeMessage(NOTHING), null, null), then, failed);
  }

  /// The peer's step. Step 4 of the broker is the session's own business: it only switches.
  void received(
      int step,
      byte[] message,
      byte[] sessionHash,
      Consumer<Outcome> then,
      Consumer<ProtocolException> failed)
      throws ProtocolException {
    if (step != expectedStep) {
      throw new ProtocolException(
          ErrorCode.HANDSHAKE, "expected REKEY step " + expectedStep + ", found " + step);
    }
    expectedStep = 0;
    if (role == Role.BROKER && step == 1) {
      Handshake fresh = Handshake.responder(Suite.XXHFS, prologue(sessionHash), own);
      handshake = fresh;
      offload(() -> answerFirst(fresh, message), then.andThen(_ -> expectedStep = 3), failed);
    } else if (role == Role.BROKER) {
      // At once: the next record already comes under the new key. One X25519 operation an hour.
      compute(() -> finish(running(), step, message), then.andThen(_ -> finished()), failed).run();
    } else {
      Handshake running = running();
      offload(() -> finish(running, step, message), then.andThen(_ -> finished()), failed);
    }
  }

  private Handshake running() {
    if (handshake == null) {
      throw new IllegalStateException("no handshake is under way");
    }
    return handshake;
  }

  private void finished() {
    handshake = null;
    expectedStep = role == Role.BROKER ? 1 : 0;
  }

  private static Outcome answerFirst(Handshake fresh, byte[] message) throws HandshakeException {
    fresh.readMessage(message);
    return new Outcome(2, fresh.writeMessage(NOTHING), null, null);
  }

  /// Agent on step 2, broker on step 3: afterwards both know the new keys.
  private Outcome finish(Handshake running, int step, byte[] message) throws HandshakeException {
    running.readMessage(message);
    if (!running.remoteStatic().equals(peer)) {
      throw new HandshakeException("expected the static key of the running session, found another");
    }
    byte[] answer = step == 2 ? running.writeMessage(NOTHING) : NOTHING;
    return new Outcome(step + 1, answer, running.split(), running.hash());
  }

  /// A step's computation.
  private interface Step {
    Outcome compute() throws HandshakeException;
  }

  private void offload(Step step, Consumer<Outcome> then, Consumer<ProtocolException> failed) {
    worker.run(() -> compute(step, then, failed));
  }

  private static Runnable compute(
      Step step, Consumer<Outcome> then, Consumer<ProtocolException> failed) {
    try {
      Outcome outcome = step.compute();
      return () -> then.accept(outcome);
    } catch (HandshakeException broken) {
      return () ->
          failed.accept(
              new ProtocolException(
                  ErrorCode.HANDSHAKE, "fresh handshake: " + broken.getMessage()));
    }
  }

  private static byte[] prologue(byte[] sessionHash) {
    byte[] label = "penstock/1 rekey".getBytes(StandardCharsets.US_ASCII);
    byte[] prologue = new byte[label.length + sessionHash.length];
    System.arraycopy(label, 0, prologue, 0, label.length);
    System.arraycopy(sessionHash, 0, prologue, label.length, sessionHash.length);
    return prologue;
  }
}
