package io.penstock.broker.store;

/// Where one enrollment of an agent stands. `ENDED` is one whose successor was approved.
public enum GenerationState {
  PENDING,
  APPROVED,
  REJECTED,
  ENDED,
  REVOKED
}
