package io.penstock.broker.measure;

import io.penstock.broker.store.Database;
import io.penstock.broker.store.NodeStatusTable;
import io.penstock.broker.store.NodeStatusTable.Status;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// How this process is, as `/api/v1/broker` shows it, and how the other nodes said that they are.
public final class NodeStatus {
  private static final Duration ALIVE = Duration.ofSeconds(15);
  private static final Duration GONE = Duration.ofDays(7);

  private final Sources sources;
  private final Clock clock;
  private final Instant startedAt;
  private final NodeStatusTable table = new NodeStatusTable();
  private volatile boolean reachable;

  /// @param tunnels admitted ones
  /// @param streams under way on them
  /// @param connections at the public port
  public record Traffic(long tunnels, long streams, long connections) {}

  /// @param streams of the live feed
  /// @param dropped events that slow readers of it missed
  public record LiveUse(long streams, long dropped) {}

  /// What is known elsewhere.
  record Sources(
      String node,
      String version,
      Database database,
      Supplier<Traffic> traffic,
      Supplier<LiveUse> live,
      LoopLag lag,
      Measuring measuring,
      HopHistory history) {}

  NodeStatus(Sources sources, Clock clock) {
    this.sources = sources;
    this.clock = clock;
    startedAt = clock.instant();
  }

  public String node() {
    return sources.node();
  }

  /// Of this moment; from memory.
  public JsonObject now() {
    Instant at = clock.instant();
    Traffic traffic = sources.traffic().get();
    LiveUse live = sources.live().get();
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    return new JsonObject()
        .put("node", sources.node())
        .put("at", at.toString())
        .put("live", true)
        .put("version", sources.version())
        .put("uptime_s", Duration.between(startedAt, at).toSeconds())
        .put("event_loops", loops())
        .put(
            "heap",
            new JsonObject()
                .put("used", heap.getUsed())
                .put("committed", heap.getCommitted())
                .put("max", heap.getMax()))
        .put("gc", collections())
        .put("threads", ManagementFactory.getThreadMXBean().getThreadCount())
        .put("cpu", cpu())
        .put("database", database())
        .put("tunnels", traffic.tunnels())
        .put("streams", traffic.streams())
        .put("connections", traffic.connections())
        .put("live_streams", live.streams())
        .put("live_dropped", live.dropped())
        .put("recorder", recorder());
  }

  private JsonArray loops() {
    var loops = new JsonArray();
    for (LoopLag.Lag lag : sources.lag().lags()) {
      loops.add(
          new JsonObject()
              .put("name", lag.loop())
              .put("lag_ms", lag.lagMs())
              .put("max_lag_ms", lag.maxLagMs()));
    }
    return loops;
  }

  private static JsonObject collections() {
    long count = 0;
    long ms = 0;
    for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
      count += Math.max(0, bean.getCollectionCount());
      ms += Math.max(0, bean.getCollectionTime());
    }
    return new JsonObject().put("collections", count).put("pause_ms", ms);
  }

  /// The share of this machine's processors, 0 to 1; null where the platform does not say.
  private static @Nullable Double cpu() {
    double load =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean os
            ? os.getProcessCpuLoad()
            : -1;
    return load < 0 ? null : Double.valueOf(load);
  }

  private JsonObject database() {
    Database.Usage usage = sources.database().usage();
    return new JsonObject()
        .put("connections", usage.connections())
        .put("in_use", usage.inUse())
        .put("waiting", usage.waiting())
        .put("reachable", reachable);
  }

  private JsonObject recorder() {
    Measuring.Counts counts = sources.measuring().counts();
    return new JsonObject()
        .put("series", counts.series())
        .put("limit", counts.limit())
        .put("overflowed", counts.overflowed())
        .put("missed", counts.missed())
        .put("history_waiting", sources.history().waiting())
        .put("history_dropped", sources.history().dropped());
  }

  /// Says to the other nodes how this one is. Blocks.
  void write() {
    try {
      sources
          .database()
          .run(tx -> table.put(tx, new Status(sources.node(), clock.instant(), now())));
      reachable = true;
    } catch (RuntimeException away) {
      reachable = false;
      throw away;
    }
  }

  void prune() {
    sources.database().run(tx -> table.dropOlderThan(tx, clock.instant().minus(GONE)));
  }

  /// This node as it is, the others as they last said. Blocks.
  public List<JsonObject> all() {
    var all = new ArrayList<JsonObject>();
    all.add(now());
    Instant dead = clock.instant().minus(ALIVE);
    sources.database().transaction(table::list).stream()
        .filter(status -> !status.node().equals(sources.node()))
        .forEach(status -> all.add(status.status().copy().put("live", status.at().isAfter(dead))));
    return all;
  }
}
