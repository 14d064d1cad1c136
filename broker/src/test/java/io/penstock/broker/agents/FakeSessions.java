package io.penstock.broker.agents;

import io.penstock.broker.tunnel.LiveSession;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The registry of admitted tunnels, without tunnels.
final class FakeSessions implements LiveSessions {
  private final List<FakeSession> open = new CopyOnWriteArrayList<>();
  private final Clock clock;

  FakeSessions(Clock clock) {
    this.clock = clock;
  }

  Instant now() {
    return clock.instant();
  }

  void add(FakeSession session) {
    open.add(session);
  }

  void remove(FakeSession session) {
    session.cut();
    open.remove(session);
  }

  /// All connections break, as when the network or the agent's machine goes.
  void cutAll() {
    open.forEach(this::remove);
  }

  @Override
  public List<LiveSession> of(String agent) {
    return open.stream()
        .filter(session -> session.admission().agent().equals(agent))
        .map(LiveSession.class::cast)
        .toList();
  }

  @Override
  public List<LiveSession> all() {
    return List.copyOf(open);
  }
}
