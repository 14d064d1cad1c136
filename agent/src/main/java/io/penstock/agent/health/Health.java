package io.penstock.agent.health;

import io.penstock.agent.config.Configurations;
import io.penstock.agent.link.Link;
import io.penstock.agent.link.Loop;
import java.util.Optional;
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

  /// A metrics port that is taken is a warning, not an end.
  public static Health start(Link link, Configurations configurations, Loop loop, int metricsPort) {
    Optional<HealthServer> server =
        HealthServer.start(metricsPort, new Pages(link, configurations));
    server.ifPresentOrElse(
        it -> LOG.info("metrics and health on http://127.0.0.1:{}", it.port()),
        () -> LOG.warn("metrics port {} is taken: no metrics, no health page", metricsPort));
    return new Health(
        Thread.ofVirtual().name("watchdog").start(new Watchdog(link)),
        Thread.ofPlatform()
            .daemon()
            .name("loop-watchdog")
            .start(new LoopWatchdog(loop.eventLoop(), LoopWatchdog.STUCK_AFTER)),
        server);
  }

  @Override
  public void close() {
    watchdog.interrupt();
    loopWatchdog.interrupt();
    server.ifPresent(HealthServer::close);
  }
}
