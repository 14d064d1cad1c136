package io.penstock.broker;

import io.penstock.broker.agents.LiveSessions;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.Sessions;
import io.penstock.codec.ErrorCode;
import java.util.List;

/// Shows `broker.tunnel`'s sessions to `broker.agents`.
record SessionsOfAgents(Sessions sessions) implements LiveSessions {
  @Override
  public List<LiveSession> of(String agent) {
    return sessions.of(agent);
  }

  @Override
  public List<LiveSession> all() {
    return sessions.list();
  }

  @Override
  public void close(String agent, ErrorCode code, String text) {
    sessions.closeAgent(agent, code, text);
  }
}
