package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.agents.Ledger.Alarm;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.seal.Fingerprint;
import java.util.Optional;

/// What a clone alarm does: no bundle and no streams for anybody of that name, until an Admin
/// releases it with the fingerprint or it is enrolled anew.
final class Quarantine {
  private final Database database;
  private final Identities identities;
  private final LiveSessions live;
  private final Upheavals upheavals;
  private final Ledger ledger;

  Quarantine(
      Database database,
      Identities identities,
      LiveSessions live,
      Upheavals upheavals,
      Ledger ledger) {
    this.database = database;
    this.identities = identities;
    this.live = live;
    this.upheavals = upheavals;
    this.ledger = ledger;
  }

  void cloned(String agent, String how, String from) {
    database.run(
        tx -> {
          identities
              .lock(tx, agent)
              .filter(standing -> standing.state() == AgentState.APPROVED)
              .ifPresent(standing -> identities.update(tx, standing.quarantined(how)));
          ledger.audit(tx, Ledger.Entry.of("gateway.quarantine", agent).from(from).because(how));
          ledger.alarm(tx, Alarm.AGENT_CLONED, agent, how, Optional.of(from));
          tx.afterCommit(() -> cutOff(agent));
        });
  }

  private void cutOff(String agent) {
    upheavals.happened();
    live.close(agent, ErrorCode.QUARANTINED, "quarantined until an administrator releases it");
  }

  Decision release(String agent, String typed, Actor operator) {
    return database.transaction(
        tx -> {
          Optional<AgentStanding> standing = identities.lock(tx, agent);
          if (standing.isEmpty()) {
            return Decision.UNKNOWN_AGENT;
          }
          Decision decision = judge(tx, standing.get(), typed);
          if (decision == Decision.DONE) {
            identities.update(tx, standing.get().with(AgentState.APPROVED));
          }
          recordRelease(tx, agent, decision, operator);
          return decision;
        });
  }

  private Decision judge(Tx tx, AgentStanding standing, String typed) {
    if (standing.state() != AgentState.QUARANTINED) {
      return Decision.WRONG_STATE;
    }
    Optional<String> fingerprint =
        identities
            .approved(tx, standing)
            .map(AgentKeys::identity)
            .map(AgentKeys.Identity::fingerprint);
    boolean same = fingerprint.filter(text -> new Fingerprint(text).matches(typed)).isPresent();
    return same ? Decision.DONE : Decision.WRONG_FINGERPRINT;
  }

  private void recordRelease(Tx tx, String agent, Decision decision, Actor operator) {
    Ledger.Entry entry = Ledger.Entry.of("gateway.release", agent).by(operator);
    ledger.audit(tx, decision == Decision.DONE ? entry : entry.denied(decision));
  }
}
