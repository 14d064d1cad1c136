package io.penstock.broker.agents;

import io.penstock.broker.agents.AgentOperations.Latency;
import io.penstock.broker.tunnel.LiveSession;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The last minutes of every live agent's round trips, sampled by the upkeep: 120 per agent, gone
/// with its last session. Thread-safe.
final class RoundTrips {
  private static final int SAMPLES = 120;
  private static final double NANOS_PER_MS = 1_000_000.0;

  private final Map<String, Deque<Long>> samples = new ConcurrentHashMap<>();
  private final LiveSessions live;

  RoundTrips(LiveSessions live) {
    this.live = live;
  }

  void sample() {
    Set<String> here = new HashSet<>();
    for (LiveSession session : live.all()) {
      here.add(session.admission().agent());
      if (session.roundTripNanos() > 0) {
        samples.compute(
            session.admission().agent(), (_, before) -> with(before, session.roundTripNanos()));
      }
    }
    samples.keySet().retainAll(here);
  }

  private static Deque<Long> with(@Nullable Deque<Long> before, long nanos) {
    Deque<Long> after = before == null ? new ArrayDeque<>() : new ArrayDeque<>(before);
    after.addLast(nanos);
    if (after.size() > SAMPLES) {
      after.removeFirst();
    }
    return after;
  }

  Latency of(String agent) {
    List<Long> sorted = samples.getOrDefault(agent, new ArrayDeque<>()).stream().sorted().toList();
    return new Latency(share(sorted, 0.50), share(sorted, 0.95), share(sorted, 0.99));
  }

  private static Optional<Double> share(List<Long> sorted, double share) {
    if (sorted.isEmpty()) {
      return Optional.empty();
    }
    int at = (int) Math.ceil(share * sorted.size()) - 1;
    return Optional.of(sorted.get(Math.max(0, at)) / NANOS_PER_MS);
  }
}
