package io.penstock.agent.link;

import io.netty.handler.ssl.SslContext;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.IdentityBundle;
import io.penstock.codec.Protocol;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.ProofAnswer;
import io.penstock.codec.message.ControlMessage.ProofChallenge;
import io.penstock.codec.message.Messages;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SignedTexts;
import java.io.IOException;
import java.util.Arrays;
import javax.net.ssl.SSLException;

/// Enrollment with a token, up to PENDING (`docs/protocol.md`, section 2). The unlock secret is on
/// disk before this begins, so a crash at any point comes back with the same dev key.
final class Enrolling {
  private final Surroundings surroundings;
  private final Identity identity;
  private final EnrollmentToken token;

  Enrolling(Surroundings surroundings, Identity identity, EnrollmentToken token) {
    this.surroundings = surroundings;
    this.identity = identity;
    this.token = token;
  }

  /// The session on which the agent now waits for its approval.
  record Waiting(Conversation conversation, Pending pending) {}

  Waiting enroll(int attempt) throws LinkFailure, InterruptedException {
    surroundings.failpoint().accept(Failpoint.ENROLL_AFTER_KEYS_WRITTEN);
    BrokerAddress broker = surroundings.broker(attempt, identity.brokerUrl());
    RecordSocket socket = surroundings.dialer().dial(broker, tls(), Protocol.SUBPROTOCOL_ENROLL);
    boolean waiting = false;
    try {
      Waiting enrolled = greet(socket, broker);
      waiting = true;
      return enrolled;
    } finally {
      if (!waiting) {
        var _ = socket.channel().close();
      }
    }
  }

  private SslContext tls() throws LinkFailure {
    try {
      return surroundings.tlsFor(identity.caSha256()).tunnelContext();
    } catch (SSLException broken) {
      throw LinkFailure.at(Stage.TLS, String.valueOf(broken.getMessage()));
    }
  }

  private Waiting greet(RecordSocket socket, BrokerAddress broker)
      throws LinkFailure, InterruptedException {
    byte[] secret = token.secret().bytes();
    var greeting = Greeting.enroll(socket, broker, identity.dev(), new PresharedKey(secret));
    Arrays.fill(secret, (byte) 0);
    greeting.exchange(
        Messages.encode(new EnrollHello(token.id().bytes(), surroundings.version())), identity);
    IdentityBundle bundle = identity.newBundle();
    Session session =
        greeting.finish(
            request(bundle, greeting.hash()), surroundings.loop(), surroundings.duties());
    var conversation = new Conversation(session, identity, greeting.owner());
    surroundings.failpoint().accept(Failpoint.ENROLL_AFTER_MESSAGE_3);
    prove(conversation, bundle);
    Pending pending = conversation.receive(Pending.class);
    remember(pending, Fingerprint.of(greeting.hash()));
    return new Waiting(conversation, pending);
  }

  /// @param hash after message 2
  private EnrollRequest request(IdentityBundle bundle, byte[] hash) {
    byte[] sealing = bundle.sealing().publicKey().bytes();
    byte[] signing = bundle.signing().verifyingKey().octets().bytes();
    byte[] inner = identity.wrap(bundle);
    byte[] signature =
        bundle
            .signing()
            .sign(
                SignedTexts.enroll(
                    hash, identity.dev().publicKey().bytes(), sealing, signing, inner));
    return new EnrollRequest(
        surroundings.wantedName(),
        sealing,
        signing,
        inner,
        surroundings.host(),
        surroundings.bootId().bytes(),
        signature);
  }

  /// The broker seals 32 bytes to our key; whoever opens them holds it.
  private void prove(Conversation conversation, IdentityBundle bundle)
      throws LinkFailure, InterruptedException {
    ProofChallenge challenge = conversation.receive(ProofChallenge.class);
    try {
      byte[] opened = Hpke.open(bundle.sealing(), SignedTexts.proofInfo(), challenge.sealed());
      conversation.session().send(new ProofAnswer(opened));
    } catch (SealException | IllegalArgumentException broken) {
      throw LinkFailure.at(Stage.POLICY, "the proof challenge does not open");
    }
  }

  /// What is shown is our own transcript's fingerprint, never the broker's word for it.
  private void remember(Pending pending, Fingerprint ours) throws LinkFailure {
    if (!pending.fingerprint().equals(ours.text())) {
      throw LinkFailure.at(
          Stage.POLICY,
          "expected the fingerprint "
              + ours.text()
              + " from the broker, found "
              + LinkFailure.printable(pending.fingerprint()));
    }
    try {
      identity.pending(pending.agent(), pending.site(), ours);
    } catch (IOException disk) {
      throw LinkFailure.at(Stage.POLICY, "cannot store the agent's name: " + disk);
    }
  }
}
