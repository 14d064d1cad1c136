package io.penstock.broker.store;

/// A row of one agent's configuration is not what this broker wrote. Nothing of it is used; who
/// catches it raises the alarm, in a transaction of its own.
public final class TamperedRowException extends RuntimeException {
  private final String agent;

  public TamperedRowException(String agent, String what) {
    super(what);
    this.agent = agent;
  }

  public String agent() {
    return agent;
  }
}
