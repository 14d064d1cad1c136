package io.penstock.broker.agents;

/// The database says something about an agent that we never wrote. Nothing is granted; the place
/// that asked raises the alarm, in a transaction of its own.
final class TamperedException extends RuntimeException {
  private final String agent;

  TamperedException(String agent, String what) {
    super(what);
    this.agent = agent;
  }

  String agent() {
    return agent;
  }
}
