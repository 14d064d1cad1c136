package io.penstock.broker.routing;

import io.penstock.broker.tunnel.LiveSession;
import java.util.List;

/// Where an invocation can go.
public sealed interface Route {

  /// A few sessions that serve the system, best first (fewest outstanding × latency); never empty.
  record Via(List<LiveSession> sessions) implements Route {
    public Via {
      sessions = List.copyOf(sessions);
    }
  }

  /// No agent that ever served this site has such a system, or there is no such site.
  record Unknown() implements Route {}

  /// The system is there, but no rule allows this method and path.
  record NotExposed() implements Route {}

  /// The system is known, no session is live. `reconnecting`: one was seen so recently that waiting
  /// up to 2 s is worth it.
  record Offline(boolean reconnecting) implements Route {}
}
