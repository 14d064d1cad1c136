package io.penstock.loadtest.fleet;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Approved;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.ProofAnswer;
import io.penstock.codec.message.ControlMessage.ProofChallenge;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SignedTexts;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;

/// Enrollment with a token up to the approval (`docs/protocol.md`, section 2).
final class Enrolling implements Steps {
  private final String name;
  private final Identity identity;
  private final EnrollmentToken token;
  private final CompletableFuture<SimulatedAgent.Asking> asking;
  private final CompletableFuture<Void> approved = new CompletableFuture<>();

  Enrolling(
      String name,
      Identity identity,
      EnrollmentToken token,
      CompletableFuture<SimulatedAgent.Asking> asking) {
    this.name = name;
    this.identity = identity;
    this.token = token;
    this.asking = asking;
  }

  @Override
  public String subprotocol() {
    return Protocol.SUBPROTOCOL_ENROLL;
  }

  @Override
  public Handshake handshake(byte[] prologue) {
    Handshake handshake = Handshake.initiator(Suite.XXHFS_PSK3, prologue, identity.dev());
    byte[] secret = token.secret().bytes();
    handshake.psk(new PresharedKey(secret));
    Arrays.fill(secret, (byte) 0);
    return handshake;
  }

  @Override
  public byte[] hello() {
    return Messages.encode(new EnrollHello(token.id().bytes(), "simulated"));
  }

  @Override
  public ControlMessage request(byte[] hash) {
    return identity.enrollRequest(name, hash);
  }

  @Override
  public void control(Tunnel tunnel, ControlMessage message, byte[] hash) throws FleetException {
    switch (message) {
      case ProofChallenge challenge ->
          tunnel.send(
              new ProofAnswer(
                  Hpke.open(identity.sealing(), SignedTexts.proofInfo(), challenge.sealed())));
      case Pending pending -> pending(pending, Fingerprint.of(hash));
      case Approved it -> {
        identity.approved(it.generation());
        approved.complete(null);
        tunnel.close(ErrorCode.NO_ERROR, "approved");
      }
      default -> throw new FleetException("expected no " + message + " while enrolling");
    }
  }

  private void pending(Pending pending, Fingerprint ours) throws FleetException {
    if (!pending.fingerprint().equals(ours.text())) {
      throw new FleetException(
          "expected the fingerprint " + ours + " from the broker, found another");
    }
    asking.complete(new SimulatedAgent.Asking(ours, approved));
  }

  @Override
  public void message(Tunnel tunnel, long sequence, byte[] body) throws FleetException {
    throw new FleetException("expected no MESSAGE while enrolling, found one");
  }

  @Override
  public StreamListener open(MuxStream stream, ByteBuf head) {
    return EchoSystem.refuse(stream, ErrorCode.UNKNOWN_TARGET, "not admitted");
  }

  @Override
  public void release(Tunnel tunnel) {
    // An enrollment answers nothing.
  }

  @Override
  public void ended(FleetException why) {
    asking.completeExceptionally(why);
    approved.completeExceptionally(why);
  }
}
