package io.penstock.broker.systems;

/// Ends a transaction without a change; becomes a result at [Systems]' border.
public final class RefusedException extends RuntimeException {
  private final Refusal refusal;

  RefusedException(Refusal refusal) {
    super(refusal.detail(), null, false, false);
    this.refusal = refusal;
  }

  public Refusal refusal() {
    return refusal;
  }
}
