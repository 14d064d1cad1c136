package io.penstock.broker.agents;

import io.penstock.broker.keys.Revocations;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.Revoked;
import java.time.Duration;
import java.util.Optional;

/// Message 3 of an ordinary connection: tells who comes, and who of them is welcome.
///
/// Connections that showed a registered dev key of an approved agent go through one after the
/// other,
/// so that two processes on one unlock secret meet here.
final class Admission {
  private static final int MAX_SLOTS = 8;
  private static final Duration TURN_WITHIN = Duration.ofSeconds(15);
  private static final int LATER_MS = 60_000;

  private final Standings standings;
  private final Revocations revocations;
  private final CloneWatch cloneWatch;
  private final Quarantine quarantine;
  private final Welcoming welcoming;
  private final PendingTunnel pendingTunnel;
  private final Refusals refusals;
  private final Tampering tampering;
  private final Upheavals upheavals;
  private final Doorway doorway;
  private final Turns turns = new Turns();

  Admission(
      Standings standings,
      Revocations revocations,
      CloneWatch cloneWatch,
      Quarantine quarantine,
      Welcoming welcoming,
      PendingTunnel pendingTunnel,
      Refusals refusals,
      Tampering tampering,
      Upheavals upheavals,
      Doorway doorway) {
    this.standings = standings;
    this.revocations = revocations;
    this.cloneWatch = cloneWatch;
    this.quarantine = quarantine;
    this.welcoming = welcoming;
    this.pendingTunnel = pendingTunnel;
    this.refusals = refusals;
    this.tampering = tampering;
    this.upheavals = upheavals;
    this.doorway = doorway;
  }

  void connect(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused {
    if (attempt.request().slot() < 0 || attempt.request().slot() >= MAX_SLOTS) {
      throw new TunnelRefused(ErrorCode.PROTOCOL_ERROR, 0, "no such slot");
    }
    try {
      decide(attempt, channel);
    } catch (TamperedException found) {
      doorway.through(() -> tampering.report(found));
      throw quarantined();
    }
  }

  private void decide(ConnectionAttempt attempt, ControlChannel channel) throws TunnelRefused {
    Moment before = now(attempt);
    switch (standing(attempt)) {
      case Standing.Known known -> inTurn(known, before, attempt, channel);
      case Standing other -> turnedAway(other, attempt, channel);
    }
  }

  /// While it stays the same, this broker has changed nothing of what admissions rely on.
  private record Moment(long upheavals, long turnsOver) {}

  private Moment now(ConnectionAttempt attempt) {
    return new Moment(upheavals.count(), turns.over(attempt.request().agent()));
  }

  /// Whoever went before may have changed everything: then who comes is asked again.
  private void inTurn(
      Standing.Known first, Moment before, ConnectionAttempt attempt, ControlChannel channel)
      throws TunnelRefused {
    Optional<Turns.Turn> turn = turns.take(attempt.request().agent(), TURN_WITHIN);
    try (Turns.Turn _ = turn.orElseThrow(Doorway::unavailable)) {
      Moment taken = now(attempt);
      switch (taken.equals(before) ? first : standing(attempt)) {
        case Standing.Known known -> welcome(known, taken.upheavals(), attempt, channel);
        case Standing other -> turnedAway(other, attempt, channel);
      }
    }
  }

  private Standing standing(ConnectionAttempt attempt) throws TunnelRefused {
    return doorway.through(() -> standings.of(attempt));
  }

  private void welcome(
      Standing.Known known, long upheavalsBefore, ConnectionAttempt attempt, ControlChannel channel)
      throws TunnelRefused {
    if (cloneWatch.otherProcessLives(known.keys().agent(), attempt.request().bootId())) {
      throw cloned(attempt, "two live processes on one unlock secret");
    }
    welcoming.welcome(known, upheavalsBefore, attempt, channel);
  }

  private void turnedAway(Standing standing, ConnectionAttempt attempt, ControlChannel channel)
      throws TunnelRefused {
    switch (standing) {
      case Standing.Known _ -> throw new IllegalStateException("a known agent is welcome");
      case Standing.Waiting(var keys) ->
          pendingTunnel.hold(keys, channel, attempt.remote().getHostAddress());
      case Standing.Promoted(var keys) -> pendingTunnel.promoted(keys, channel);
      case Standing.Cloned _ -> throw cloned(attempt, "an unlock key that was retired");
      case Standing.Quarantined _ -> throw refused(attempt, "quarantined", quarantined());
      case Standing.WrongNetwork _ ->
          throw refused(
              attempt,
              "wrong-network",
              new TunnelRefused(ErrorCode.UNAVAILABLE, LATER_MS, "not from this network"));
      case Standing.Revoked _ -> {
        // The wipe has to reach it whatever state the database is in; the notice says nothing that
        // the peer did not say itself.
        channel.send(new Revoked(revocations.noticeFor(attempt.request().agent())));
        throw refused(attempt, "revoked", new TunnelRefused(ErrorCode.REVOKED, 0, "revoked"));
      }
      case Standing.Unknown(String why) ->
          throw refused(
              attempt, why, new TunnelRefused(ErrorCode.UNKNOWN_AGENT, 0, "unknown agent"));
    }
  }

  private TunnelRefused refused(ConnectionAttempt attempt, String why, TunnelRefused answer)
      throws TunnelRefused {
    doorway.through(() -> refusals.record(attempt, why));
    return answer;
  }

  private TunnelRefused cloned(ConnectionAttempt attempt, String how) throws TunnelRefused {
    doorway.through(
        () -> quarantine.cloned(attempt.request().agent(), how, attempt.remote().getHostAddress()));
    return quarantined();
  }

  private static TunnelRefused quarantined() {
    return new TunnelRefused(
        ErrorCode.QUARANTINED, LATER_MS, "quarantined until an administrator releases it");
  }
}
