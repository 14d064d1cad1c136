package io.penstock.agent.health;

import io.penstock.agent.config.Configurations;
import io.penstock.agent.link.Link;
import io.penstock.agent.link.Loop;
import io.penstock.agent.plugin.CallMeters;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything that watches an agent, started and stopped together.
public final class Health implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Health.class);

  private final Thread watchdog;
  private final Thread loopWatchdog;
  private final Optional<HealthServer> server;

  private Health(Thread watchdog, Thread loopWatchdog, Optional<HealthServer> server) {
    this.watchdog = watchdog;
    this.loopWatchdog = loopWatchdog;
    this.server = server;
  }

  /// Spans that a collector took, and those that were lost on the way.
  public record SpanCounts(long exported, long lost) {}

  /// What is watched.
  ///
  /// @param spans empty = none are recorded
  public record Watched(
      Link link,
      Configurations configurations,
      Loop loop,
      CallMeters calls,
      Optional<Supplier<SpanCounts>> spans) {}

  /// A metrics port that is taken is a warning, not an end.
  public static Health start(Watched it, int metricsPort) {
    var loopWatchdog = new LoopWatchdog(it.loop().eventLoop(), LoopWatchdog.STUCK_AFTER);
    Optional<HealthServer> server =
        HealthServer.start(metricsPort, new Pages(it, loopWatchdog::lagNanos));
    server.ifPresentOrElse(
        taken -> LOG.info("metrics and health on http://127.0.0.1:{}", taken.port()),
        () -> LOG.warn("metrics port {} is taken: no metrics, no health page", metricsPort));
    return new Health(
        Thread.ofVirtual().name("watchdog").start(new Watchdog(it.link())),
        Thread.ofPlatform().daemon().name("loop-watchdog").start(loopWatchdog),
        server);
  }

  @Override
  public void close() {
    watchdog.interrupt();
    loopWatchdog.interrupt();
    server.ifPresent(HealthServer::close);
  }
}
