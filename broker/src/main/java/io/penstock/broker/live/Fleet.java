package io.penstock.broker.live;

import io.penstock.broker.access.Scope;
import io.penstock.broker.store.AgentTable.Agent;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.systems.SystemOperations.Progress;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What Postgres said of all agents a moment ago.
///
/// @param undelivered agents without any are not in it
/// @param openAlarms severities without any are not in it
record Fleet(
    long epochMs,
    Map<String, Agent> agents,
    Map<String, Long> undelivered,
    Map<String, Progress> progress,
    Map<Severity, Long> openAlarms) {
  static final Fleet UNKNOWN = new Fleet(0, Map.of(), Map.of(), Map.of(), Map.of());

  boolean isIn(Scope scope, String agent) {
    if (scope.isEverything()) {
      return true;
    }
    @Nullable Agent known = agents.get(agent);
    return known != null && scope.holds(known.name(), known.site(), known.labels());
  }

  Optional<Agent> agent(String name) {
    return Optional.ofNullable(agents.get(name));
  }
}
