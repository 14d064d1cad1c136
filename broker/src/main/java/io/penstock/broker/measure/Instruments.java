package io.penstock.broker.measure;

import io.netty.util.concurrent.EventExecutor;
import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import java.time.Clock;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything that measures, wired together. Two threads: the merger, which never blocks, and the
/// keeper, which alone waits for Postgres.
public final class Instruments implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Instruments.class);
  private static final int ROLL_UP_SECONDS = 10;
  private static final int STATUS_SECONDS = 5;
  private static final int PRUNE_MINUTES = 10;

  private final HopHistory history;
  private final Measuring measuring;
  private final HopArchive archive;
  private final LoopLag lag;
  private final NodeStatus status;
  private final ScheduledExecutorService keeper =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("measuring-keeper").factory());

  /// @param node name of this broker
  /// @param maxSeries pairs of agent and system whose times are kept apart
  /// @param loops event loops to ask for their lag
  public record Surroundings(
      Database database,
      String node,
      String version,
      int maxSeries,
      Iterable<EventExecutor> loops,
      Supplier<NodeStatus.Traffic> traffic,
      Supplier<NodeStatus.LiveUse> live,
      Clock clock) {}

  public Instruments(Surroundings around) {
    history =
        new HopHistory(around.database(), around.node(), around.clock(), HopHistory.MAX_WAITING);
    measuring = new Measuring(around.maxSeries(), around.clock(), this::keep);
    archive = new HopArchive(history, measuring, around.node(), around.clock());
    lag = new LoopLag(around.loops(), System::nanoTime);
    status =
        new NodeStatus(
            new NodeStatus.Sources(
                around.node(),
                around.version(),
                around.database(),
                around.traffic(),
                around.live(),
                lag,
                measuring,
                history),
            around.clock());
    measuring.watch(_ -> lag.ask());
  }

  public void start() {
    measuring.start();
    every(ROLL_UP_SECONDS, TimeUnit.SECONDS, "summing up times", this::flushAndRollUp);
    every(STATUS_SECONDS, TimeUnit.SECONDS, "telling this node's status", status::write);
    every(PRUNE_MINUTES, TimeUnit.MINUTES, "dropping old times", this::prune);
  }

  private void every(long period, TimeUnit unit, String what, Runnable step) {
    var _ = keeper.scheduleWithFixedDelay(() -> step(what, step), 1, period, unit);
  }

  private void keep(Measuring.Interval interval) {
    history.accept(interval);
    try {
      keeper.execute(() -> step("writing times", history::flush));
    } catch (RejectedExecutionException _) {
      // The broker stops: close writes what waits.
    }
  }

  private void flushAndRollUp() {
    history.flush();
    history.rollUp();
  }

  private void prune() {
    history.prune();
    status.prune();
  }

  private static void step(String what, Runnable step) {
    try {
      step.run();
    } catch (StoreUnavailableException away) {
      LOG.debug("{}: {}", what, away.getMessage());
    } catch (RuntimeException bug) {
      LOG.error("{} failed", what, bug);
    }
  }

  public InvocationObserver observer() {
    return measuring;
  }

  public Measuring measuring() {
    return measuring;
  }

  public HopArchive archive() {
    return archive;
  }

  public LoopLag lag() {
    return lag;
  }

  public NodeStatus status() {
    return status;
  }

  /// Rows that wait for Postgres, and those that were lost since the start.
  public record Kept(int waiting, long dropped) {}

  public Kept kept() {
    return new Kept(history.waiting(), history.dropped());
  }

  @Override
  public void close() {
    measuring.close();
    keeper.shutdown();
    try {
      if (!keeper.awaitTermination(2, TimeUnit.SECONDS)) {
        LOG.warn("times of the last seconds may be lost: the database does not answer");
        return;
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    step("writing the last times", history::flush);
  }
}
