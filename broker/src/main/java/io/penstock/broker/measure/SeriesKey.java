package io.penstock.broker.measure;

/// What times are kept apart by.
public record SeriesKey(String agent, String system) implements Comparable<SeriesKey> {
  /// All calls of a node together.
  public static final SeriesKey ALL = new SeriesKey("", "");

  /// Calls that no agent was reached for: it was offline, or there is no such system.
  public static final SeriesKey NO_AGENT = new SeriesKey("(none)", "");

  /// Everything beyond the bound on series.
  public static final SeriesKey OTHER = new SeriesKey("(other)", "(other)");

  /// Whether it is about one agent, so that a scope can hold it.
  public boolean isOfAgent() {
    return !equals(ALL) && !equals(NO_AGENT) && !equals(OTHER);
  }

  @Override
  public int compareTo(SeriesKey other) {
    int byAgent = agent.compareTo(other.agent);
    return byAgent != 0 ? byAgent : system.compareTo(other.system);
  }
}
