package io.penstock.broker.agents;

import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SignedTexts;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;

/// From WELCOME to a session that may carry streams (`docs/protocol.md`, section 2, "Connection"):
///
/// ```
/// WELCOME ─ READY ─ epoch ─ ADMITTED ─ (UNLOCK_NEXT ─ UNLOCK_STORED ─ UNLOCK_COMMIT) ─ admitted
/// ```
final class Welcoming {
  private static final Duration READY_WITHIN = Duration.ofSeconds(10);
  private static final int SESSION_ID_BYTES = 16;
  private static final int DIGEST_BYTES = 32;

  private final Standings standings;
  private final Bundles bundles;
  private final SessionOpening opening;
  private final UnlockRotation rotation;
  private final Refusals refusals;
  private final Presence presence;
  private final Upheavals upheavals;
  private final OwnersNews news;
  private final Doorway doorway;
  private final SecureRandom random;
  private final int tunnels;

  /// @param tunnels how many tunnels an agent is told to hold
  Welcoming(
      Standings standings,
      Bundles bundles,
      SessionOpening opening,
      UnlockRotation rotation,
      Refusals refusals,
      Presence presence,
      Upheavals upheavals,
      OwnersNews news,
      Doorway doorway,
      SecureRandom random,
      int tunnels) {
    this.standings = standings;
    this.bundles = bundles;
    this.opening = opening;
    this.rotation = rotation;
    this.refusals = refusals;
    this.presence = presence;
    this.upheavals = upheavals;
    this.news = news;
    this.doorway = doorway;
    this.random = random;
    this.tunnels = tunnels;
  }

  void welcome(
      Standing.Known known, long upheavalsBefore, ConnectionAttempt attempt, ControlChannel channel)
      throws TunnelRefused {
    byte[] sessionId = new byte[SESSION_ID_BYTES];
    random.nextBytes(sessionId);
    byte[] inner = bundles.unwrap(known.keys(), known.unlock());
    channel.send(
        new Welcome(sessionId, inner, Protocol.DEFAULT_MAX_STREAMS, known.head().orElse(null)));
    requireReady(known, sessionId, attempt, channel);
    SessionOpening.Opened opened =
        doorway.through(() -> opening.open(known, attempt)).orElseThrow(Doorway::unavailable);
    long told = news.tellRecent(channel::send);
    channel.send(new Admitted(opened.epoch(), opened.rotateUnlock(), tunnels));
    if (opened.rotateUnlock()) {
      rotate(opened, attempt.request(), channel);
    }
    LiveSession session = channel.admit(admission(known, opened, attempt));
    news.catchUp(told, session::send);
    note(session);
    requireStillWelcome(opened, upheavalsBefore, session);
  }

  /// A session that ended before it was noted has to be noted as ended, or it would seem to live
  /// on.
  private void note(LiveSession session) {
    presence.opened(session);
    if (!session.isOpen()) {
      presence.closed(session, "closed while it was admitted");
    }
  }

  private void requireReady(
      Standing.Known known, byte[] sessionId, ConnectionAttempt attempt, ControlChannel channel)
      throws TunnelRefused {
    Ready ready;
    try {
      ready = channel.receive(Ready.class, READY_WITHIN);
    } catch (TunnelRefused noReady) {
      doorway.through(() -> refusals.record(attempt, "no-ready"));
      throw noReady;
    }
    byte[] text = SignedTexts.ready(attempt.hash(), sessionId);
    if (!known.signed().signingPublic().verify(text, ready.signature())) {
      doorway.through(
          () ->
              refusals.alarm(
                  attempt,
                  Alarm.IDENTITY_MISMATCH,
                  "the unlock key was right, the identity's signature was not"));
      throw new TunnelRefused(ErrorCode.UNKNOWN_AGENT, 0, "not the approved identity");
    }
  }

  private void rotate(SessionOpening.Opened opened, ConnectRequest request, ControlChannel channel)
      throws TunnelRefused {
    rotation.run(
        new UnlockRotation.Session(
            opened.keys(), request.slot(), opened.epoch(), Octets.of(request.bootId())),
        channel);
  }

  private static ControlChannel.Admission admission(
      Standing.Known known, SessionOpening.Opened opened, ConnectionAttempt attempt) {
    ConnectRequest request = attempt.request();
    return new ControlChannel.Admission(
        opened.keys().agent(),
        opened.keys().place().site(),
        Math.toIntExact(opened.keys().generation()),
        request.slot(),
        opened.epoch(),
        request.bootId(),
        digest(request),
        known.signed().signingPublic(),
        Octets.of(attempt.hash()));
  }

  /// One of another length says nothing.
  private static Optional<Octets> digest(ConnectRequest request) {
    byte[] digest = request.stateDigest();
    return digest != null && digest.length == DIGEST_BYTES
        ? Optional.of(Octets.of(digest))
        : Optional.empty();
  }

  /// Who decides something about the agent closes the sessions that he sees; this one may have
  /// become visible a moment too late.
  private void requireStillWelcome(
      SessionOpening.Opened opened, long upheavalsBefore, LiveSession session)
      throws TunnelRefused {
    if (upheavals.count() == upheavalsBefore) {
      return;
    }
    boolean holds = doorway.through(() -> standings.stillHolds(opened.keys()));
    if (!holds) {
      session.close(ErrorCode.UNAVAILABLE, "come again");
    }
  }
}
