package io.penstock.broker.delivery;

/// The agent already has as many undelivered messages as may wait for it; nothing was queued.
public final class QueueFullException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String agent;
  private final int limit;
  private final int found;

  public QueueFullException(String agent, int limit, int found) {
    super("messages of " + agent + ": expected at most " + limit + " undelivered, found " + found);
    this.agent = agent;
    this.limit = limit;
    this.found = found;
  }

  public String agent() {
    return agent;
  }

  public int limit() {
    return limit;
  }

  public int found() {
    return found;
  }
}
