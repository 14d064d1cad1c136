package io.penstock.broker.agents;

import io.penstock.broker.agents.WaitingRoom.Outcome;
import io.penstock.broker.agents.WaitingRoom.Seat;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Looks up what became of the agents that wait here. A decision made on this node is heard at
/// once;
/// this finds those of other nodes, and lets pending enrollments go after 24 h.
final class PendingDecisions {
  private static final int EXPIRED_AT_ONCE = 100;

  private final Database database;
  private final Identities identities;
  private final Tampering tampering;
  private final WaitingRoom room;
  private final Ledger ledger;
  private final Clock clock;

  PendingDecisions(
      Database database,
      Identities identities,
      Tampering tampering,
      WaitingRoom room,
      Ledger ledger,
      Clock clock) {
    this.database = database;
    this.identities = identities;
    this.tampering = tampering;
    this.room = room;
    this.ledger = ledger;
    this.clock = clock;
  }

  void lookUp() {
    Set<Seat> seats = room.seats();
    if (seats.isEmpty()) {
      return;
    }
    Map<Seat, GenerationState> states = database.transaction(tx -> states(tx, seats));
    for (Seat seat : seats) {
      GenerationState state = states.getOrDefault(seat, GenerationState.ENDED);
      switch (state) {
        case PENDING -> {}
        // An ended generation was approved once; who still waits for it was enrolled anew.
        case APPROVED -> room.decided(seat, Outcome.APPROVED);
        case REJECTED, ENDED, REVOKED -> room.decided(seat, Outcome.GONE);
      }
    }
  }

  private Map<Seat, GenerationState> states(Tx tx, Set<Seat> seats) {
    Map<Seat, GenerationState> states = new HashMap<>();
    identities
        .unchecked()
        .states(tx, seats.stream().map(Seat::agent).distinct().toList())
        .forEach(row -> states.put(new Seat(row.agent(), row.generation()), row.state()));
    return states;
  }

  /// Pending enrollments are gone after 24 h, with all their keys; a name that was never decided on
  /// is free again. One transaction per enrollment, so that a bad row stops only itself.
  void expire() {
    Instant now = clock.instant();
    List<AgentKeys> due =
        database.transaction(tx -> identities.unchecked().expired(tx, now, EXPIRED_AT_ONCE));
    for (AgentKeys keys : due) {
      tampering.watch(() -> expire(new Seat(keys.agent(), keys.generation()), now));
    }
  }

  private void expire(Seat seat, Instant now) {
    database.run(
        tx -> {
          AgentStanding agent = identities.lock(tx, seat.agent()).orElseThrow();
          List<AgentKeys> generations = identities.generations(tx, seat.agent());
          generations.stream()
              .filter(keys -> isDue(keys, seat, now))
              .forEach(keys -> remove(tx, agent, keys, generations.size() == 1));
        });
  }

  /// It may have been approved, or have come again, since it was listed.
  private static boolean isDue(AgentKeys keys, Seat seat, Instant now) {
    return keys.generation() == seat.generation()
        && keys.state() == GenerationState.PENDING
        && !keys.expiresAt().isAfter(now);
  }

  private void remove(Tx tx, AgentStanding agent, AgentKeys keys, boolean only) {
    identities.unchecked().delete(tx, keys);
    if (only) {
      identities.unchecked().deleteAgent(tx, agent.name());
    } else if (agent.state() == AgentState.PENDING) {
      identities.update(tx, agent.with(AgentState.REJECTED));
    }
    ledger.audit(
        tx, Ledger.Entry.of("gateway.expire", keys.agent()).because("not approved in time"));
    tx.afterCommit(() -> room.decided(new Seat(keys.agent(), keys.generation()), Outcome.GONE));
  }
}
