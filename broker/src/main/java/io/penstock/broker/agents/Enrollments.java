package io.penstock.broker.agents;

import io.penstock.broker.store.Tx;
import java.util.Optional;

/// Which enrollment of an agent is in force: what is queued is for one of them.
public interface Enrollments {
  /// Locks the agent until the transaction ends, so that nobody is enrolled anew meanwhile. Empty:
  /// no such agent.
  Optional<Enrolled> lock(Tx tx, String agent);

  /// @param state `approved`, `quarantined`, …, or in words what is wrong
  /// @param addressable messages may be queued for it
  record Enrolled(long generation, String state, boolean addressable) {}
}
