package io.penstock.broker.edge;

/// How many invocations a caller may start. Thread-safe, never blocks.
@FunctionalInterface
public interface RateLimit {
  RateLimit NONE = (_, _, _) -> 0;

  /// Takes one invocation from the caller's budget. 0 = go on, otherwise the seconds after which
  /// trying again is worth it.
  int secondsToWait(Caller caller, String site, String system);
}
