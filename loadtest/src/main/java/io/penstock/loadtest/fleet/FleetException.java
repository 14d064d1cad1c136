package io.penstock.loadtest.fleet;

/// A simulated agent's connection ended, or its broker did not hold what a real agent checks.
public final class FleetException extends Exception {
  FleetException(String message) {
    super(message);
  }

  FleetException(String message, Throwable cause) {
    super(message, cause);
  }
}
