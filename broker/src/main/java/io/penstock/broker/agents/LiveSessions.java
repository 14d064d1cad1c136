package io.penstock.broker.agents;

import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import java.util.List;

/// The admitted tunnels of this node, as identities see them. Thread-safe.
public interface LiveSessions {
  /// Open sessions of one agent, of any slot and generation.
  List<LiveSession> of(String agent);

  List<LiveSession> all();

  default void close(String agent, ErrorCode code, String text) {
    of(agent).forEach(session -> session.close(code, text));
  }
}
