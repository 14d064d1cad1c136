package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.agents.WaitingRoom.Outcome;
import io.penstock.broker.agents.WaitingRoom.Seat;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.Superseding;
import io.penstock.broker.store.Tx;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.VerifyingKey;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An operator compares the fingerprint and says yes or no (design: enrollment). Yes makes a signed
/// agent record, which is what brokers and sealers trust from then on, and ends the generation
/// before.
final class Approval {
  private final Database database;
  private final Identities identities;
  private final MessageTable messages;
  private final Superseding superseding;
  private final BrokerKeys keys;
  private final WaitingRoom room;
  private final LiveSessions live;
  private final Upheavals upheavals;
  private final Ledger ledger;
  private final Clock clock;

  Approval(
      Database database,
      Identities identities,
      MessageTable messages,
      Superseding superseding,
      BrokerKeys keys,
      WaitingRoom room,
      LiveSessions live,
      Upheavals upheavals,
      Ledger ledger,
      Clock clock) {
    this.database = database;
    this.identities = identities;
    this.messages = messages;
    this.superseding = superseding;
    this.keys = keys;
    this.room = room;
    this.live = live;
    this.upheavals = upheavals;
    this.ledger = ledger;
    this.clock = clock;
  }

  /// @param plainBearer whether the operator knows that its tokens are bound to no key
  Decision approve(String agent, String typed, boolean plainBearer, Actor operator) {
    return database.repeatable(
        tx -> {
          Optional<AgentStanding> standing = identities.lock(tx, agent);
          if (standing.isEmpty()) {
            return Decision.UNKNOWN_AGENT;
          }
          Optional<AgentKeys> pending = identities.pending(tx, agent);
          Decision decision = judge(agent, pending, typed, plainBearer);
          if (decision == Decision.DONE) {
            approve(tx, standing.get(), pending.orElseThrow(), operator);
          } else {
            recordRefusal(tx, agent, decision, operator);
          }
          return decision;
        });
  }

  private Decision judge(
      String agent, Optional<AgentKeys> pending, String typed, boolean plainBearer) {
    if (pending.isEmpty() || keys.revocations().isRevoked(agent)) {
      return Decision.WRONG_STATE;
    }
    if (!new Fingerprint(pending.get().identity().fingerprint()).matches(typed)) {
      return Decision.WRONG_FINGERPRINT;
    }
    if (pending.get().identity().proofAt().isEmpty()) {
      return Decision.PROOF_MISSING;
    }
    return isPlain(pending.get()) && !plainBearer ? Decision.PLAIN_BEARER : Decision.DONE;
  }

  private static boolean isPlain(AgentKeys keys) {
    return GatewayStandings.bindingOf(keys).equals(Optional.of(GatewayTexts.Binding.BEARER));
  }

  private void approve(Tx tx, AgentStanding agent, AgentKeys pending, Actor operator) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    String jws = keys.sign(signedRecord(pending, operator, now));
    Optional<AgentKeys> before =
        identities
            .approved(tx, agent)
            .filter(generation -> generation.state() == GenerationState.APPROVED);
    before.ifPresent(
        ended ->
            identities.update(
                tx, ended.with(GenerationState.ENDED).with(ended.custody().emptied())));
    identities.update(tx, pending.approved(new AgentKeys.Approval(operator.name(), now, jws)));
    identities.update(tx, agent.approved(pending.generation(), pending.place()));
    ledger.audit(
        tx,
        Ledger.Entry.of("gateway.approve", agent.name())
            .by(operator)
            .with(
                Map.of(
                    "generation", Long.toString(pending.generation()),
                    "method", pending.origin().method(),
                    "fingerprint", pending.identity().fingerprint())));
    List<Message> taken = messages.takeBefore(tx, agent.name(), pending.generation());
    taken.forEach(old -> recordSuperseded(tx, old, pending.generation(), operator));
    superseding.of(tx, taken);
    tx.afterCommit(() -> tell(pending, before.isPresent()));
  }

  /// What waited for the box that had the name before is for nobody any more.
  private void recordSuperseded(Tx tx, Message old, long generation, Actor operator) {
    var what = new LinkedHashMap<String, Object>();
    what.put("sequence", old.sequence());
    old.content().system().ifPresent(system -> what.put("system", system));
    old.content().version().ifPresent(version -> what.put("version", version));
    old.content().instructionKind().ifPresent(kind -> what.put("kind", kind));
    old.content().instructionId().ifPresent(id -> what.put("id", id));
    ledger.audit(
        tx,
        Ledger.Entry.of("gateway.message-superseded", old.agent())
            .by(operator)
            .because(
                "for generation " + old.generation() + " of the agent, which is now " + generation)
            .with(what));
  }

  private static AgentRecord signedRecord(AgentKeys pending, Actor operator, Instant now) {
    return new AgentRecord(
        pending.agent(),
        pending.generation(),
        pending.place().site(),
        pending.place().labels(),
        pending.custody().current().dev(),
        pending.identity().sealingPublic(),
        new VerifyingKey(pending.identity().signingPublic()),
        pending.identity().fingerprint(),
        pending.place().allowedCidrs(),
        operator.name(),
        now.getEpochSecond());
  }

  private void tell(AgentKeys approved, boolean endsAnother) {
    if (endsAnother) {
      upheavals.happened();
      live.close(approved.agent(), ErrorCode.REPLACED, "the agent was enrolled anew");
    }
    room.decided(new Seat(approved.agent(), approved.generation()), Outcome.APPROVED);
  }

  private void recordRefusal(Tx tx, String agent, Decision decision, Actor operator) {
    ledger.audit(tx, Ledger.Entry.of("gateway.approve", agent).by(operator).denied(decision));
  }

  /// No to what waits. An approved generation beside it stays as it is.
  Decision reject(String agent, Actor operator) {
    return database.transaction(
        tx -> {
          Optional<AgentStanding> standing = identities.lock(tx, agent);
          if (standing.isEmpty()) {
            return Decision.UNKNOWN_AGENT;
          }
          Optional<AgentKeys> pending = identities.pending(tx, agent);
          pending.ifPresent(keys -> reject(tx, standing.get(), keys, operator));
          return pending.isPresent() ? Decision.DONE : Decision.WRONG_STATE;
        });
  }

  private void reject(Tx tx, AgentStanding agent, AgentKeys pending, Actor operator) {
    identities.update(tx, pending.with(GenerationState.REJECTED).with(pending.custody().emptied()));
    if (agent.state() == AgentState.PENDING) {
      identities.update(tx, agent.with(AgentState.REJECTED));
    }
    ledger.audit(tx, Ledger.Entry.of("gateway.reject", agent.name()).by(operator));
    tx.afterCommit(
        () -> room.decided(new Seat(pending.agent(), pending.generation()), Outcome.GONE));
  }
}
