package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.agents.WaitingRoom.Outcome;
import io.penstock.broker.agents.WaitingRoom.Seat;
import io.penstock.broker.keys.Revocations;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.RevocationTable;
import io.penstock.broker.store.Tx;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.Revoked;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/// Ends an agent for good (design: revocation): its wrapped bundles go, the signed list of the
/// revoked grows, its sessions get the notice and are closed. One at a time in this process.
final class Revocation {
  private final Database database;
  private final Identities identities;
  private final RevocationTable lists;
  private final Revocations revocations;
  private final RevocationGuard guard;
  private final WaitingRoom room;
  private final LiveSessions live;
  private final Upheavals upheavals;
  private final Ledger ledger;
  private final Clock clock;
  private final Failpoint failpoint;

  Revocation(
      Database database,
      Identities identities,
      RevocationTable lists,
      Revocations revocations,
      RevocationGuard guard,
      WaitingRoom room,
      LiveSessions live,
      Upheavals upheavals,
      Ledger ledger,
      Clock clock,
      Failpoint failpoint) {
    this.database = database;
    this.identities = identities;
    this.lists = lists;
    this.revocations = revocations;
    this.guard = guard;
    this.room = room;
    this.live = live;
    this.upheavals = upheavals;
    this.ledger = ledger;
    this.clock = clock;
    this.failpoint = failpoint;
  }

  synchronized Decision revoke(String agent, Actor operator) {
    Decision decision = database.transaction(tx -> revoke(tx, agent, operator));
    if (decision == Decision.DONE) {
      cutOff(agent);
    }
    return decision;
  }

  /// Rows without our MAC can be revoked all the same: nothing of them is believed any more.
  private Decision revoke(Tx tx, String agent, Actor operator) {
    guard.check(tx);
    Optional<AgentStanding> standing = identities.unchecked().lock(tx, agent).get();
    if (standing.isEmpty()) {
      return Decision.UNKNOWN_AGENT;
    }
    if (revocations.isRevoked(agent)) {
      return Decision.WRONG_STATE;
    }
    Revocations.Prepared next = revocations.prepare(agent);
    lists.restore(tx, next.counter(), next.jws(), now());
    empty(tx, agent);
    identities.update(tx, standing.get().revoked(now()));
    ledger.audit(tx, Ledger.Entry.of("gateway.revoke", agent).by(operator));
    // In the database first: a broker killed in between finishes it at its next start.
    tx.afterCommit(
        () -> {
          failpoint.passed(Failpoint.REVOKE_AFTER_COMMIT);
          revocations.recover(next.jws());
        });
    return Decision.DONE;
  }

  /// The list once more under the newest record key.
  synchronized void resign() {
    database.run(
        tx -> {
          guard.check(tx);
          revocations
              .prepareResigned()
              .ifPresent(
                  next -> {
                    lists.restore(tx, next.counter(), next.jws(), now());
                    tx.afterCommit(() -> revocations.recover(next.jws()));
                  });
        });
  }

  private void empty(Tx tx, String agent) {
    List<AgentKeys> generations = identities.unchecked().generations(tx, agent).get();
    for (AgentKeys keys : generations) {
      identities.update(tx, keys.with(GenerationState.REVOKED).with(keys.custody().emptied()));
      tx.afterCommit(() -> room.decided(new Seat(agent, keys.generation()), Outcome.GONE));
    }
  }

  private void cutOff(String agent) {
    upheavals.happened();
    var notice = new Revoked(revocations.noticeFor(agent));
    live.of(agent)
        .forEach(
            session -> {
              session.send(notice);
              session.close(ErrorCode.REVOKED, "revoked");
            });
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
