package io.penstock.broker;

import io.penstock.broker.agents.LiveSessions;
import io.penstock.broker.gateways.GatewaySessions;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.Sessions;
import io.penstock.codec.ErrorCode;
import java.util.List;
import java.util.stream.Stream;

/// Shows `broker.tunnel`'s sessions, and those of gateways without a tunnel, to `broker.agents`.
record SessionsOfAgents(Sessions sessions, GatewaySessions gateways) implements LiveSessions {
  @Override
  public List<LiveSession> of(String agent) {
    return both(sessions.of(agent), gateways.of(agent));
  }

  @Override
  public List<LiveSession> all() {
    return both(sessions.list(), gateways.all());
  }

  private static List<LiveSession> both(List<LiveSession> some, List<LiveSession> others) {
    return others.isEmpty() ? some : Stream.concat(some.stream(), others.stream()).toList();
  }

  @Override
  public void close(String agent, ErrorCode code, String text) {
    sessions.closeAgent(agent, code, text);
    gateways.close(agent, code, text);
  }
}
