package io.penstock.loadtest.fleet;

/// A simulated agent's connection ended, or its broker did not hold what a real agent checks.
public final class FleetException extends Exception {
  private final boolean revocation;

  FleetException(String message) {
    super(message);
    revocation = false;
  }

  private FleetException(String message, boolean revocation) {
    super(message);
    this.revocation = revocation;
  }

  /// The broker said that the agent is revoked.
  static FleetException revoked() {
    return new FleetException("the broker closed: the agent is revoked", true);
  }

  FleetException(String message, Throwable cause) {
    super(message, cause);
    revocation = false;
  }

  public boolean isRevocation() {
    return revocation;
  }
}
