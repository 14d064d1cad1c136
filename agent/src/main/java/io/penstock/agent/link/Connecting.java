package io.penstock.agent.link;

import io.netty.handler.ssl.SslContext;
import io.penstock.agent.identity.Identity;
import io.penstock.agent.identity.Identity.Credentials;
import io.penstock.agent.identity.IdentityBundle;
import io.penstock.agent.identity.IdentityException;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.Approved;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SignedTexts;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import javax.net.ssl.SSLException;

/// An ordinary connection up to ADMITTED (`docs/protocol.md`, section 2), with the rotation of the
/// unlock secret when the broker asks for it.
///
/// From the choice of the dev key until ADMITTED a dial holds one side of the [UnlockGate], a
/// rotation the other: no key that a rotation retires is on its way to the broker, where it
/// would look like a clone.
final class Connecting {
  private static final Duration ASK_AGAIN = Duration.ofSeconds(30);
  private static final byte[] NOTHING = {};

  private final Surroundings surroundings;
  private final Identity identity;
  private final UnlockGate gate;

  Connecting(Surroundings surroundings, Identity identity, UnlockGate gate) {
    this.surroundings = surroundings;
    this.identity = identity;
    this.gate = gate;
  }

  /// How a dial that did not fail ended.
  sealed interface Outcome {
    /// Streams may be opened.
    ///
    /// @param head the signed head manifest of WELCOME
    record Serving(
        Conversation conversation,
        BrokerAddress broker,
        Admitted admitted,
        ConfigurationLine line,
        Optional<String> head)
        implements Outcome {}

    /// Was waiting for an operator, and is approved now: dial anew.
    record ApprovedNow() implements Outcome {}
  }

  Outcome connect(int slot, int attempt) throws LinkFailure, InterruptedException {
    BrokerAddress broker = surroundings.broker(attempt, identity.brokerUrl());
    RecordSocket socket = surroundings.dialer().dial(broker, tls(), Protocol.SUBPROTOCOL_CONNECT);
    boolean kept = false;
    try {
      Outcome outcome = greet(slot, socket, broker);
      kept = outcome instanceof Outcome.Serving;
      return outcome;
    } finally {
      if (!kept) {
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

  private Outcome greet(int slot, RecordSocket socket, BrokerAddress broker)
      throws LinkFailure, InterruptedException {
    Lock inUse = gate.dialing();
    inUse.lockInterruptibly();
    Conversation conversation;
    IdentityBundle bundle;
    ConfigurationLine line;
    Optional<String> head;
    Admitted admitted;
    try {
      Credentials credentials = identity.credentials();
      var greeting = Greeting.connect(socket, broker, credentials.dev());
      greeting.exchange(NOTHING, identity);
      Session session =
          greeting.finish(request(credentials, slot), surroundings.loop(), surroundings.duties());
      conversation = new Conversation(session, identity, greeting.owner());
      ControlMessage first = conversation.receive();
      if (first instanceof Pending pending) {
        inUse.unlock();
        try {
          return awaitDecision(conversation, pending);
        } finally {
          inUse.lock();
        }
      }
      if (!(first instanceof Welcome welcome)) {
        throw Conversation.unexpected("Welcome", first);
      }
      bundle = open(welcome);
      head = Optional.ofNullable(welcome.headManifest());
      line =
          new ConfigurationLine(
              session,
              identity,
              greeting.owner(),
              bundle,
              new IdentityReplacement(identity, gate, greeting.hash()));
      session.configure(line);
      session.send(ready(bundle, greeting.hash(), welcome.sessionId()));
      admitted = conversation.receive(Admitted.class);
    } finally {
      inUse.unlock();
    }
    if (admitted.rotateUnlock()) {
      new UnlockRotation(identity, gate, surroundings.failpoint()).rotate(conversation, bundle);
    }
    conversation.session().serve(surroundings.target().effectiveRules());
    return new Outcome.Serving(conversation, broker, admitted, line, head);
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the array may be null
  private ConnectRequest request(Credentials credentials, int slot) {
    return new ConnectRequest(
        credentials.agent(),
        credentials.generation(),
        credentials.unlockEpoch(),
        slot,
        surroundings.bootId().bytes(),
        surroundings.version(),
        List.of(),
        surroundings.configuration().stateDigest().map(Octets::bytes).orElse(null),
        null);
  }

  private IdentityBundle open(Welcome welcome) throws LinkFailure {
    try {
      return identity.unwrap(welcome.innerBundle());
    } catch (IdentityException broken) {
      throw LinkFailure.at(
          Stage.POLICY, "the identity bundle does not open: " + broken.getMessage());
    }
  }

  private static Ready ready(IdentityBundle bundle, byte[] hash, byte[] sessionId) {
    return new Ready(bundle.signing().sign(SignedTexts.ready(hash, sessionId)));
  }

  /// Stays on this tunnel until an operator decides, and says its fingerprint again and again.
  Outcome awaitDecision(Conversation conversation, Pending pending)
      throws LinkFailure, InterruptedException {
    String fingerprint = identity.fingerprint().orElse(pending.fingerprint());
    surroundings.listener().pending(pending.agent(), pending.site(), fingerprint);
    while (true) {
      var event = conversation.await(ASK_AGAIN);
      switch (event.orElse(null)) {
        case null -> surroundings.listener().pending(pending.agent(), pending.site(), fingerprint);
        case SessionEvent.Control(Approved approved) -> {
          approved(approved);
          conversation.session().close(ErrorCode.NO_ERROR, "approved");
          return new Outcome.ApprovedNow();
        }
        case SessionEvent.Control(ControlMessage other) ->
            throw Conversation.unexpected("Approved", other);
        case SessionEvent.Drain _ -> throw LinkFailure.at(Stage.SESSION, "the broker drains");
        case SessionEvent.Ended it -> throw it.failure(Stage.POLICY);
        case SessionEvent.Wipe _ -> throw conversation.endAsAsked();
      }
    }
  }

  private void approved(Approved approved) throws LinkFailure {
    try {
      identity.approved(approved.generation());
    } catch (IOException disk) {
      throw LinkFailure.at(Stage.POLICY, "cannot store the approval: " + disk);
    }
    surroundings.listener().approved(identity.agent().orElse(""));
  }
}
