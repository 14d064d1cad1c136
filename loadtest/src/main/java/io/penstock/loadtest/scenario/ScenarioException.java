package io.penstock.loadtest.scenario;

/// A scenario file or an option that cannot be used: names the thing, what was expected and what
/// was found.
public final class ScenarioException extends Exception {
  ScenarioException(String message) {
    super(message);
  }

  ScenarioException(String message, Throwable cause) {
    super(message, cause);
  }
}
