package io.penstock.loadtest.scenario;

import io.penstock.loadtest.rate.Rate;
import java.util.Optional;

/// Many simulated agents at once.
///
/// @param agents of one process, enrolled before the measuring begins
/// @param rate of dials in open loop, for [Event#CONNECT]; empty = closed loop
/// @param atOnce dials under way
public record Storm(Event event, int agents, Optional<Rate> rate, int atOnce) {
  /// Below the broker's own limit of half-open connections of one address.
  static final int MAX_AT_ONCE = 60;

  static final int MAX_AGENTS = 10_000;

  public enum Event {
    /// All dial, one turn after the other.
    CONNECT,
    /// All are connected; the broker is killed and started again at once.
    RECONNECT
  }
}
