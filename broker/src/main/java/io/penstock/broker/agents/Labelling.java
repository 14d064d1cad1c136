package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Changes an agent's labels. They stand in the signed record too, so the record is signed anew in
/// the same transaction. A generation that still waits gets the same change: its approval must not
/// bring back what an operator took away.
final class Labelling {
  private final Database database;
  private final Identities identities;
  private final SignedRecords records;
  private final Ledger ledger;

  Labelling(Database database, Identities identities, SignedRecords records, Ledger ledger) {
    this.database = database;
    this.identities = identities;
    this.records = records;
    this.ledger = ledger;
  }

  /// @param change empty = the label goes
  Decision change(String agent, Map<String, Optional<String>> change, Actor operator) {
    return database.transaction(
        tx -> {
          Optional<AgentStanding> standing = identities.lock(tx, agent);
          if (standing.isEmpty()) {
            return Decision.UNKNOWN_AGENT;
          }
          return change(tx, standing.get(), change, operator);
        });
  }

  private Decision change(
      Tx tx, AgentStanding agent, Map<String, Optional<String>> change, Actor operator) {
    if (agent.state() == AgentState.REJECTED || agent.state() == AgentState.REVOKED) {
      return Decision.WRONG_STATE;
    }
    Map<String, String> labels = changed(agent.labels(), change);
    if (labels.size() > AgentOperations.MAX_LABELS) {
      return Decision.TOO_MANY_LABELS;
    }
    boolean any = false;
    for (AgentKeys generation : identities.generations(tx, agent.name())) {
      any |= relabel(tx, generation, changed(generation.place().labels(), change));
    }
    if (!labels.equals(agent.labels())) {
      identities.update(tx, agent.withLabels(labels));
      any = true;
    }
    if (any) {
      record(tx, agent, labels, operator);
    }
    return Decision.DONE;
  }

  /// False when there is nothing to change in it.
  private boolean relabel(Tx tx, AgentKeys generation, Map<String, String> labels) {
    if (labels.equals(generation.place().labels())) {
      return false;
    }
    return switch (generation.state()) {
      case PENDING -> {
        identities.update(tx, generation.with(generation.place().withLabels(labels)));
        yield true;
      }
      case APPROVED -> {
        identities.update(tx, records.relabelled(generation, labels));
        yield true;
      }
      case REJECTED, ENDED, REVOKED -> false;
    };
  }

  private void record(Tx tx, AgentStanding agent, Map<String, String> labels, Actor operator) {
    ledger.audit(
        tx,
        Ledger.Entry.of("gateway.update", agent.name())
            .by(operator)
            .with(Map.of("labels", Map.of("old", agent.labels(), "new", labels))));
  }

  private static Map<String, String> changed(
      Map<String, String> labels, Map<String, Optional<String>> change) {
    var changed = new HashMap<>(labels);
    change.forEach(
        (key, value) ->
            value.ifPresentOrElse(text -> changed.put(key, text), () -> changed.remove(key)));
    return changed;
  }
}
