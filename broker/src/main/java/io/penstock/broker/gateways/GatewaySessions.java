package io.penstock.broker.gateways;

import io.penstock.broker.agents.LiveSessions;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// The gateways that are heard of here, one session each: at most as many as there are approved
/// ones. Thread-safe.
public final class GatewaySessions implements LiveSessions {
  /// Three heartbeats.
  static final Duration SILENCE = Duration.ofSeconds(90);

  private final Map<String, GatewaySession> sessions = new ConcurrentHashMap<>();

  Optional<GatewaySession> find(String gateway) {
    return Optional.ofNullable(sessions.get(gateway)).filter(GatewaySession::isOpen);
  }

  /// The one before, if there is one, ends.
  void put(GatewaySession session) {
    GatewaySession before = sessions.put(session.admission().agent(), session);
    if (before != null) {
      before.close(ErrorCode.REPLACED, "a newer session");
    }
  }

  void remove(GatewaySession session) {
    sessions.remove(session.admission().agent(), session);
  }

  @Override
  public List<LiveSession> of(String agent) {
    return find(agent).map(List::<LiveSession>of).orElse(List.of());
  }

  @Override
  public List<LiveSession> all() {
    return List.copyOf(sessions.values());
  }

  /// Gateways that have fallen silent are offline.
  void sweep(Instant now) {
    sessions.values().stream()
        .filter(session -> session.lastHeard().plus(SILENCE).isBefore(now))
        .forEach(session -> session.close(ErrorCode.SHUTDOWN, "silent"));
  }

  void closeAll() {
    sessions.values().forEach(session -> session.close(ErrorCode.SHUTDOWN, "the broker stops"));
  }
}
