package io.penstock.broker.agents;

import io.penstock.broker.agents.WaitingRoom.Outcome;
import io.penstock.broker.agents.WaitingRoom.Seat;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.Approved;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.seal.SealException;
import java.time.Clock;
import java.time.Duration;

/// The tunnel of a pending agent, after an enrollment or a plain reconnect: proof, PENDING, and
/// then
/// nothing but the decision. No bundle, no streams, no configuration.
final class PendingTunnel {
  private static final Duration LEAVES_WITHIN = Duration.ofSeconds(5);

  private final WaitingRoom room;
  private final Enrollment enrollment;
  private final Proof proof;
  private final PendingDecisions decisions;
  private final Doorway doorway;
  private final Clock clock;

  PendingTunnel(
      WaitingRoom room,
      Enrollment enrollment,
      Proof proof,
      PendingDecisions decisions,
      Doorway doorway,
      Clock clock) {
    this.room = room;
    this.enrollment = enrollment;
    this.proof = proof;
    this.decisions = decisions;
    this.doorway = doorway;
    this.clock = clock;
  }

  void hold(AgentKeys keys, ControlChannel channel, String from) throws TunnelRefused {
    var seat = new Seat(keys.agent(), keys.generation());
    try (WaitingRoom.Waiter waiter = room.enter(seat)) {
      if (keys.identity().proofAt().isEmpty()) {
        prove(keys, channel, from);
      } else {
        doorway.through(decisions::lookUp);
      }
      channel.send(new Pending(keys.agent(), keys.place().site(), keys.identity().fingerprint()));
      leave(waiter.await(channel, left(keys)), keys, channel);
    }
  }

  /// An agent that was approved while it was away, and so does not know its generation yet: it
  /// hears
  /// the same as one that waited.
  void promoted(AgentKeys keys, ControlChannel channel) {
    channel.send(pending(keys));
    approved(keys, channel);
  }

  private static Pending pending(AgentKeys keys) {
    return new Pending(keys.agent(), keys.place().site(), keys.identity().fingerprint());
  }

  private static void approved(AgentKeys keys, ControlChannel channel) {
    channel.send(new Approved(Math.toIntExact(keys.generation())));
    channel.awaitClosed(LEAVES_WITHIN);
  }

  private void prove(AgentKeys keys, ControlChannel channel, String from) throws TunnelRefused {
    if (!opened(keys, channel)) {
      doorway.through(() -> enrollment.proofFailed(keys, from));
      throw Denial.answer();
    }
    boolean pending = doorway.through(() -> enrollment.proven(keys));
    if (!pending) {
      throw replaced();
    }
  }

  private boolean opened(AgentKeys keys, ControlChannel channel) throws TunnelRefused {
    try {
      return proof.given(keys, channel);
    } catch (SealException _) {
      // Its sealing key is none.
      return false;
    }
  }

  private Duration left(AgentKeys keys) {
    Duration left = Duration.between(clock.instant(), keys.expiresAt());
    return left.isNegative() ? Duration.ZERO : left;
  }

  private static void leave(Outcome outcome, AgentKeys keys, ControlChannel channel)
      throws TunnelRefused {
    switch (outcome) {
      case APPROVED -> approved(keys, channel);
      case GONE -> throw Denial.answer();
      case REPLACED -> throw replaced();
      case LEFT -> {
        if (channel.isOpen()) {
          throw Denial.answer();
        }
      }
    }
  }

  private static TunnelRefused replaced() {
    return new TunnelRefused(ErrorCode.REPLACED, 0, "a newer tunnel waits for this enrollment");
  }
}
