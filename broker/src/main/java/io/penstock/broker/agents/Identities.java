package io.penstock.broker.agents;

import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.IdentityTable;
import io.penstock.broker.store.Sent;
import io.penstock.broker.store.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// The rows of agents under their MACs: what is written gets one, and a row whose MAC does not hold
/// was changed behind our back and is never acted on.
final class Identities {
  private static final String AGENTS = "agents";
  private static final String GENERATIONS = "agent_generations";

  private final IdentityTable table;
  private final RowMac mac;

  Identities(IdentityTable table, RowMac mac) {
    this.table = table;
    this.mac = mac;
  }

  /// Without looking at the MAC: for lists and for telling what became of a row.
  IdentityTable unchecked() {
    return table;
  }

  Optional<AgentStanding> find(Tx tx, String agent) {
    return sendFind(tx, agent).get();
  }

  Sent<Optional<AgentStanding>> sendFind(Tx tx, String agent) {
    return table.find(tx, agent).map(found -> found.map(this::checked));
  }

  /// Locks the agent until the transaction ends; every change begins with it.
  Optional<AgentStanding> lock(Tx tx, String agent) {
    return sendLock(tx, agent).get();
  }

  Sent<Optional<AgentStanding>> sendLock(Tx tx, String agent) {
    return table.lock(tx, agent).map(found -> found.map(this::checked));
  }

  /// Newest first.
  List<AgentKeys> generations(Tx tx, String agent) {
    return sendGenerations(tx, agent).get();
  }

  Sent<List<AgentKeys>> sendGenerations(Tx tx, String agent) {
    return table.generations(tx, agent).map(all -> all.stream().map(this::checked).toList());
  }

  Optional<AgentKeys> pending(Tx tx, String agent) {
    return generations(tx, agent).stream()
        .filter(keys -> keys.state() == GenerationState.PENDING)
        .findFirst();
  }

  /// The generation in force, if there is one.
  Optional<AgentKeys> approved(Tx tx, AgentStanding agent) {
    return sendApproved(tx, agent.name()).get();
  }

  Sent<Optional<AgentKeys>> sendApproved(Tx tx, String agent) {
    return table.generationInForce(tx, agent).map(found -> found.map(this::checked));
  }

  boolean insert(Tx tx, AgentStanding agent) {
    return table.insert(tx, sealed(agent));
  }

  void update(Tx tx, AgentStanding agent) {
    table.update(tx, sealed(agent));
  }

  void insert(Tx tx, AgentKeys keys) {
    table.insert(tx, sealed(keys));
  }

  void update(Tx tx, AgentKeys keys) {
    table.update(tx, sealed(keys));
  }

  /// Puts what UNLOCK_NEXT stored in force, and retires what was.
  AgentKeys commitNext(Tx tx, AgentKeys keys, Instant now) {
    table.retire(tx, keys, keys.custody().current().dev(), now);
    AgentKeys committed = keys.with(keys.custody().committed());
    update(tx, committed);
    return committed;
  }

  private AgentStanding sealed(AgentStanding agent) {
    return agent.withMac(mac.of(AGENTS, agent.granting()));
  }

  private AgentKeys sealed(AgentKeys keys) {
    return keys.withMac(mac.of(GENERATIONS, keys.granting()));
  }

  private AgentStanding checked(AgentStanding agent) {
    if (!mac.holds(agent.mac(), AGENTS, agent.granting())) {
      throw new TamperedException(agent.name(), "the agent's row does not carry our MAC");
    }
    return agent;
  }

  private AgentKeys checked(AgentKeys keys) {
    if (!mac.holds(keys.mac(), GENERATIONS, keys.granting())) {
      throw new TamperedException(keys.agent(), "a generation's row does not carry our MAC");
    }
    return keys;
  }
}
