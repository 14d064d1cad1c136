package io.penstock.loadtest.scenario;

import io.penstock.loadtest.rate.Rate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// Something that happens to many simulated agents, once in each turn.
///
/// @param agents of one process, enrolled before the measuring begins
/// @param rate of agents in open loop, for an event that has one; empty = closed loop
/// @param atOnce agents under way
/// @param after the beginning of the turn
public record Storm(Event event, int agents, Optional<Rate> rate, int atOnce, Duration after) {
  /// Below the broker's own limit of half-open connections of one address.
  static final int MAX_AT_ONCE = 60;

  public static final int MAX_AGENTS = 10_000;

  Storm of(int others) {
    return new Storm(event, others, rate, atOnce, after);
  }

  public enum Event {
    /// All dial, one turn after the other.
    CONNECT(true),
    /// All are connected; the broker is killed and started again at once.
    RECONNECT(false),
    /// All are connected; the broker is asked to end, drains, and is started again.
    DRAIN(false),
    /// All are connected; each is deployed one configuration.
    DEPLOY(true),
    /// All are connected; each is revoked.
    REVOKE(true);

    private final boolean oneByOne;

    Event(boolean oneByOne) {
      this.oneByOne = oneByOne;
    }

    /// Whether its agents have turns, which a rate can set; otherwise all are hit at one moment.
    boolean isOneByOne() {
      return oneByOne;
    }

    /// As scenario files spell it.
    String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    static Optional<Event> of(String word) {
      return Arrays.stream(values()).filter(event -> event.word().equals(word)).findFirst();
    }

    static String words() {
      return Arrays.stream(values()).map(Event::word).collect(Collectors.joining(", "));
    }
  }
}
