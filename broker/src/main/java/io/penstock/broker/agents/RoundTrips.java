package io.penstock.broker.agents;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.penstock.broker.agents.AgentOperations.Latency;
import io.penstock.broker.tunnel.LiveSession;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The last minutes of every live agent's round trips, sampled by the upkeep: 120 per agent, gone
/// with its last session. Thread-safe.
final class RoundTrips {
  private static final int SAMPLES = 120;
  private static final double MICROS_PER_MS = 1_000.0;

  private final Map<String, Ring> samples = new ConcurrentHashMap<>();
  private final LiveSessions live;

  RoundTrips(LiveSessions live) {
    this.live = live;
  }

  void sample() {
    Set<String> here = new HashSet<>();
    for (LiveSession session : live.all()) {
      here.add(session.admission().agent());
      if (session.roundTripNanos() > 0) {
        samples
            .computeIfAbsent(session.admission().agent(), _ -> new Ring())
            .add(session.roundTripNanos());
      }
    }
    samples.keySet().retainAll(here);
  }

  /// The newest samples of one agent, in half a kilobyte: there may be ten thousand of them.
  private static final class Ring {
    private final int[] micros = new int[SAMPLES];
    private int next;
    private boolean full;

    synchronized void add(long nanos) {
      micros[next++] = (int) Math.min(Integer.MAX_VALUE, NANOSECONDS.toMicros(nanos));
      if (next == SAMPLES) {
        next = 0;
        full = true;
      }
    }

    synchronized int[] sorted() {
      int[] sorted = Arrays.copyOf(micros, full ? SAMPLES : next);
      Arrays.sort(sorted);
      return sorted;
    }
  }

  Latency of(String agent) {
    Ring ring = samples.get(agent);
    int[] sorted = ring == null ? new int[0] : ring.sorted();
    return new Latency(share(sorted, 0.50), share(sorted, 0.95), share(sorted, 0.99));
  }

  private static Optional<Double> share(int[] sorted, double share) {
    if (sorted.length == 0) {
      return Optional.empty();
    }
    int at = (int) Math.ceil(share * sorted.length) - 1;
    return Optional.of(sorted[Math.max(0, at)] / MICROS_PER_MS);
  }
}
