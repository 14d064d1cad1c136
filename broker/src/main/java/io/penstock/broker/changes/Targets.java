package io.penstock.broker.changes;

import io.penstock.broker.agents.AgentOperations;
import io.penstock.broker.agents.AgentOperations.AgentView;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemChanges;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;

/// What a change builds on, noted when it is proposed and compared when it is carried out.
final class Targets {
  private static final Set<String> NOT_REVOCABLE = Set.of("revoked", "rejected");

  private final SystemChanges systems;
  private final AgentOperations agents;

  Targets(SystemChanges systems, AgentOperations agents) {
    this.systems = systems;
    this.agents = agents;
  }

  /// Nobody else changes it until the transaction ends.
  Map<String, String> of(Tx tx, Operation.OfSystem operation) {
    return switch (operation) {
      case Operation.Deploy it ->
          systems.baseOfDeployment(tx, it.agent(), it.system(), it.version());
      case Operation.Put _, Operation.Rollback _, Operation.Delete _ ->
          systems.baseOfEdit(tx, operation.agent(), operation.system());
    };
  }

  /// Of agents that are to be revoked: each one's generation.
  ///
  /// @param target filled as far as it is found
  /// @return why not, where that is so
  Optional<ChangeOutcome> of(Operation.Revoke operation, Map<String, String> target) {
    for (String agent : operation.agents()) {
      Optional<AgentView> found = agents.find(agent);
      if (found.isEmpty()) {
        return Optional.of(new ChangeOutcome.UnknownAgent());
      }
      String state = found.get().state();
      if (NOT_REVOCABLE.contains(state)) {
        return Optional.of(new ChangeOutcome.WrongAgentState(agent, state));
      }
      target.put(agent, generation(found.get()));
    }
    return Optional.empty();
  }

  /// As it is now, whatever state the agents are in; a revoked one is as it should be.
  Map<String, String> now(Map<String, String> target) {
    var now = new TreeMap<String, String>();
    target.forEach(
        (agent, generation) ->
            now.put(
                agent,
                agents
                    .find(agent)
                    .map(found -> found.state().equals("revoked") ? generation : generation(found))
                    .orElse("none")));
    return now;
  }

  private static String generation(AgentView agent) {
    return Long.toString(agent.generation());
  }

  /// Each name with what was expected and found; empty = nothing has changed.
  static Optional<String> difference(Map<String, String> expected, Map<String, String> found) {
    var names = new TreeSet<>(expected.keySet());
    names.addAll(found.keySet());
    var all = new StringJoiner("; ");
    for (String name : names) {
      String before = expected.getOrDefault(name, "none");
      String now = found.getOrDefault(name, "none");
      if (!before.equals(now)) {
        all.add(name + ": expected " + before + ", found " + now);
      }
    }
    return all.length() == 0 ? Optional.empty() : Optional.of(all.toString());
  }
}
