package io.penstock.broker.store;

/// Where an agent stands as a whole: pending → approved ⇄ quarantined → revoked (final); rejected.
public enum AgentState {
  PENDING,
  APPROVED,
  REJECTED,
  QUARANTINED,
  REVOKED
}
