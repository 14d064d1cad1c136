package io.penstock.agent.health;

import io.penstock.agent.link.Link;
import io.penstock.agent.link.Link.LiveTunnel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Probes the data path of every tunnel that brought no stream for a while: a stream to the broker
/// and back, because a tunnel can answer PINGs and still serve nothing. Two misses in a row, and
/// the tunnel is replaced.
final class Watchdog implements Runnable {
  static final Duration EVERY = Duration.ofSeconds(10);
  static final Duration WITHIN = Duration.ofSeconds(5);
  private static final int MISSES = 2;

  private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);

  private final Supplier<List<LiveTunnel>> tunnels;
  private final Duration every;
  private final Duration within;
  private List<Watched> watched = List.of();

  private record Watched(LiveTunnel tunnel, long streamsOpened, int misses) {}

  Watchdog(Link link) {
    this(link::tunnels, EVERY, WITHIN);
  }

  Watchdog(Supplier<List<LiveTunnel>> tunnels, Duration every, Duration within) {
    this.tunnels = tunnels;
    this.every = every;
    this.within = within;
  }

  @Override
  public void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        Thread.sleep(every);
        round();
      }
    } catch (InterruptedException _) {
      // The process ends.
    }
  }

  private void round() {
    record Probe(Watched before, CompletableFuture<Boolean> answer) {}
    var probes = new ArrayList<Probe>();
    for (LiveTunnel tunnel : tunnels.get()) {
      Watched before = before(tunnel);
      boolean idle = tunnel.streamsOpened() == before.streamsOpened();
      probes.add(
          new Probe(before, idle ? tunnel.probe(within) : CompletableFuture.completedFuture(true)));
    }
    watched = probes.stream().map(it -> judge(it.before(), it.answer().join())).toList();
  }

  private Watched before(LiveTunnel tunnel) {
    return watched.stream()
        .filter(it -> it.tunnel().isSame(tunnel))
        .findFirst()
        .orElse(new Watched(tunnel, -1, 0));
  }

  private static Watched judge(Watched before, boolean answered) {
    LiveTunnel tunnel = before.tunnel();
    int misses = answered ? 0 : before.misses() + 1;
    if (misses >= MISSES) {
      LOG.warn("tunnel {}: {} data-path probes without an answer, replaced", tunnel.slot(), misses);
      tunnel.replace("data-path probe");
    }
    return new Watched(tunnel, tunnel.streamsOpened(), misses);
  }
}
