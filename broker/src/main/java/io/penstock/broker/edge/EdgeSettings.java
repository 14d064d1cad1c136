package io.penstock.broker.edge;

import io.penstock.codec.Deadlines;
import java.time.Duration;

/// What an operator may set about invocations.
///
/// @param deadlines upper limits of every call
/// @param reconnectWait how long a call waits for an agent that was here a moment ago
/// @param tracing whether spans of calls are recorded
public record EdgeSettings(Deadlines deadlines, Duration reconnectWait, Tracing tracing) {
  public static final EdgeSettings DEFAULT =
      new EdgeSettings(Deadlines.DEFAULT, Duration.ofSeconds(2));

  public EdgeSettings(Deadlines deadlines, Duration reconnectWait) {
    this(deadlines, reconnectWait, Tracing.OFF);
  }

  public EdgeSettings {
    if (reconnectWait.isNegative()) {
      throw new IllegalArgumentException("expected a wait of 0 or more, found " + reconnectWait);
    }
  }
}
