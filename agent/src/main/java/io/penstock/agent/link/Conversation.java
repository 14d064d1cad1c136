package io.penstock.agent.link;

import io.penstock.agent.identity.Identity;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.seal.Revocation;
import io.penstock.codec.seal.SealException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/// The control messages of one session, for straight-line code on the slot's thread: waits for what
/// is due, and turns everything else into a failure. A revocation is obeyed wherever it comes.
final class Conversation {
  /// What the broker may do meanwhile: look into its database, probe another session.
  static final Duration ANSWER_WITHIN = Duration.ofSeconds(15);

  private final Session session;
  private final Identity identity;
  private final OwnerTrust owner;

  Conversation(Session session, Identity identity, OwnerTrust owner) {
    this.session = session;
    this.identity = identity;
    this.owner = owner;
  }

  Session session() {
    return session;
  }

  /// Exactly this message is due.
  <M extends ControlMessage> M receive(Class<M> expected) throws LinkFailure, InterruptedException {
    ControlMessage message = receive();
    if (!expected.isInstance(message)) {
      throw unexpected(expected.getSimpleName(), message);
    }
    return expected.cast(message);
  }

  /// Any message, which is due.
  ControlMessage receive() throws LinkFailure, InterruptedException {
    SessionEvent event =
        await(ANSWER_WITHIN)
            .orElseThrow(
                () ->
                    LinkFailure.at(
                        Stage.POLICY,
                        "expected the broker's answer within "
                            + ANSWER_WITHIN.toSeconds()
                            + " s, found silence"));
    return switch (event) {
      case SessionEvent.Control(ControlMessage message) -> message;
      case SessionEvent.Ended it -> throw it.failure(Stage.POLICY);
      case SessionEvent.Drain _ ->
          throw LinkFailure.at(Stage.POLICY, "the broker drains before it admits");
      case SessionEvent.Wipe _ -> throw endAsAsked();
    };
  }

  /// The next event, which need not come; never a [SessionEvent.Wipe].
  Optional<SessionEvent> await(Duration within) throws LinkFailure, InterruptedException {
    Optional<SessionEvent> event = session.await(within);
    if (event.isPresent()
        && event.get() instanceof SessionEvent.Control(ControlMessage.Revoked revoked)) {
      obey(revoked);
    }
    if (event.isPresent() && event.get() instanceof SessionEvent.Wipe) {
      throw endAsAsked();
    }
    return event;
  }

  static LinkFailure unexpected(String expected, ControlMessage found) {
    return LinkFailure.at(
        Stage.POLICY, "expected " + expected + ", found " + found.getClass().getSimpleName());
  }

  /// The instruction `wipe`.
  LinkFailure endAsAsked() {
    return end("wiped by an instruction");
  }

  private LinkFailure end(String why) {
    session.close(ErrorCode.REVOKED, why);
    session.forgetConfiguration();
    try {
      identity.wipe();
    } catch (IOException disk) {
      return LinkFailure.revoked(why + ", but the data directory cannot be wiped: " + disk, false);
    }
    return LinkFailure.revoked(why + "; the data directory is wiped", true);
  }

  /// Whoever holds the tunnel cannot end an agent: only the record key's signature can.
  private void obey(ControlMessage.Revoked revoked) throws LinkFailure {
    String agent = identity.agent().orElse("");
    try {
      Revocation.verify(revoked.revocation(), owner.keyset(), agent);
    } catch (SealException forged) {
      session.close(ErrorCode.PROTOCOL_ERROR, "revocation");
      throw LinkFailure.at(
          Stage.POLICY, "expected a signed revocation, found none: " + forged.getMessage());
    }
    throw end("revoked");
  }
}
