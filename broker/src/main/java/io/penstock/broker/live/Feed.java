package io.penstock.broker.live;

import io.penstock.broker.access.Scope;
import io.penstock.broker.live.Event.Audience;
import io.penstock.broker.measure.Hop;
import io.penstock.broker.measure.HopTimes;
import io.penstock.broker.measure.MeasureJson;
import io.penstock.broker.measure.RecentCalls.Recent;
import io.penstock.broker.measure.Second;
import io.penstock.broker.measure.SeriesKey;
import io.penstock.broker.measure.Times;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.AgentTable.Agent;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.systems.SystemOperations.Progress;
import io.penstock.broker.tunnel.LiveSession;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What everybody with one scope may watch: made once for all of them, every second, and kept for a
/// while, so that who comes back reads on where he left. On the merger's thread, but for the ring
/// and the agents that somebody watches closely.
final class Feed {
  private static final int WINDOW_SECONDS = 10;
  private static final int WORST = 10;
  private static final Progress NOTHING = new Progress(0, 0);

  private final String name;
  private final Scope scope;
  private final EventRing ring;
  private final Function<Alarm, JsonObject> alarmJson;

  /// Agents that somebody watches by itself, and when that was last so.
  private final Map<String, Long> watched = new ConcurrentHashMap<>();

  /// What was last told of each agent.
  private Map<String, JsonObject> agents = Map.of();

  private Map<String, JsonObject> configurations = Map.of();

  /// From which the two were made.
  private Fleet fleet = Fleet.UNKNOWN;

  private Map<String, List<LiveSession>> sessions = Map.of();
  private final Deque<Slice> window = new ArrayDeque<>();
  private volatile long usedMs;

  /// The last overview, for whoever asks between two ticks.
  private volatile JsonObject newest = new JsonObject();

  private final CountDownLatch ticked = new CountDownLatch(1);

  /// The totals of one second.
  private record Slice(long calls, long failed, long errors, Times total) {}

  /// What a tick shows.
  ///
  /// @param sessions by agent
  /// @param worst totals of the last minutes
  record Surroundings(
      long nowMs,
      Fleet fleet,
      Map<String, List<LiveSession>> sessions,
      Map<SeriesKey, HopTimes> worst,
      Second second,
      List<Recent> shown,
      List<Alarm> alarms,
      long running,
      JsonObject broker) {}

  /// @param name where its ids begin
  Feed(String name, Scope scope, int maxBytes, Function<Alarm, JsonObject> alarmJson) {
    this.name = name;
    this.scope = scope;
    this.alarmJson = alarmJson;
    ring = new EventRing(maxBytes);
  }

  EventRing ring() {
    return ring;
  }

  String id(long event) {
    return name + "-" + event;
  }

  /// The number of an event of this feed; empty = the id is another's.
  Optional<Long> number(String id) {
    if (!id.startsWith(name + "-")) {
      return Optional.empty();
    }
    try {
      return Optional.of(Long.parseLong(id.substring(name.length() + 1)));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  void used(Interest interest, long nowMs) {
    usedMs = nowMs;
    interest.agent().ifPresent(agent -> watched.put(agent, nowMs));
  }

  boolean isUnusedSince(long epochMs) {
    return usedMs < epochMs;
  }

  /// Waits for the first tick, if that is still to come.
  Optional<JsonObject> newest(Duration within) throws InterruptedException {
    boolean known = ticked.await(within.toMillis(), TimeUnit.MILLISECONDS);
    return known ? Optional.of(newest.copy()) : Optional.empty();
  }

  /// What is known already is no news.
  void prime(Fleet fleet, Map<String, List<LiveSession>> sessions) {
    agents = agentRows(fleet, sessions);
    configurations = configurationRows(fleet);
  }

  void tick(Surroundings now) {
    watched.values().removeIf(last -> last < now.nowMs() - EventRing.MAX_AGE_MS);
    // Good until the second is asked for another sum, so all of it is told first.
    HopTimes all = now.second().sum(visible(now.fleet()));
    long calls = all.calls();
    slide(all);
    newest = overview(now);
    tell(now, Topic.OVERVIEW, "overview", Audience.EVERYBODY, "", newest);
    ticked.countDown();
    if (calls > 0) {
      tell(now, Topic.LATENCY, "latency", Audience.OF_ALL, "", times(now, null, all));
      details(now);
      requests(now, calls);
    }
    changes(now);
    pulses(now);
    for (Alarm alarm : now.alarms()) {
      if (sees(now.fleet(), alarm.agentIfAny())) {
        tell(now, Topic.ALARMS, "alarm", Audience.EVERYBODY, "", alarmJson.apply(alarm));
      }
    }
    tell(now, Topic.BROKER, "broker", Audience.EVERYBODY, "", now.broker());
  }

  private void tell(
      Surroundings now,
      Topic topic,
      String event,
      Audience audience,
      String agent,
      JsonObject data) {
    long id = ring.nextId();
    String text = Event.text(id(id), event, data);
    ring.add(new Event(id, topic, audience, agent, now.nowMs(), text));
  }

  private boolean sees(Fleet fleet, String agent) {
    return fleet.isIn(scope, agent);
  }

  private Predicate<SeriesKey> visible(Fleet fleet) {
    return scope.isEverything()
        ? _ -> true
        : series -> series.isOfAgent() && sees(fleet, series.agent());
  }

  // Overview.

  private void slide(HopTimes second) {
    window.addLast(
        new Slice(
            second.calls(), second.failed(), second.errors(), Times.copyOf(second.of(Hop.TOTAL))));
    if (window.size() > WINDOW_SECONDS) {
      window.removeFirst();
    }
  }

  private JsonObject overview(Surroundings now) {
    long calls = 0;
    long failed = 0;
    long errors = 0;
    Times total = Times.none();
    for (Slice slice : window) {
      calls += slice.calls;
      failed += slice.failed;
      errors += slice.errors;
      total.add(slice.total);
    }
    double seconds = Math.max(1, window.size());
    return new JsonObject()
        .put("t", now.second().epochSecond())
        .put("agents", counts(now))
        .put("window_s", WINDOW_SECONDS)
        .put("requests_per_s", calls / seconds)
        .put("failed_per_s", failed / seconds)
        .put("error_rate", calls == 0 ? null : (double) errors / calls)
        .put("p50_ms", MeasureJson.percentile(total, 50))
        .put("p90_ms", MeasureJson.percentile(total, 90))
        .put("p99_ms", MeasureJson.percentile(total, 99))
        .put("running", scope.isEverything() ? now.running() : null)
        .put("undelivered", undelivered(now.fleet()))
        .put("alarms", alarms(now.fleet()))
        .put("worst", worst(now));
  }

  private JsonObject counts(Surroundings now) {
    long online = 0;
    long offline = 0;
    long pending = 0;
    long quarantined = 0;
    for (Agent agent : now.fleet().agents().values()) {
      if (!scope.holds(agent.name(), agent.site(), agent.labels())) {
        continue;
      }
      switch (agent.state()) {
        case PENDING -> pending++;
        case QUARANTINED -> quarantined++;
        case APPROVED -> {
          if (now.sessions().containsKey(agent.name())) {
            online++;
          } else {
            offline++;
          }
        }
        case REJECTED, REVOKED -> {}
      }
    }
    return new JsonObject()
        .put("total", online + offline + pending + quarantined)
        .put("online", online)
        .put("offline", offline)
        .put("pending", pending)
        .put("quarantined", quarantined);
  }

  private long undelivered(Fleet fleet) {
    return fleet.undelivered().entrySet().stream()
        .filter(entry -> sees(fleet, entry.getKey()))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  /// How many alarms there are is known for all agents together only.
  private @Nullable JsonObject alarms(Fleet fleet) {
    if (!scope.isEverything()) {
      return null;
    }
    var alarms = new JsonObject();
    for (Severity severity : Severity.values()) {
      alarms.put(
          severity.name().toLowerCase(Locale.ROOT), fleet.openAlarms().getOrDefault(severity, 0L));
    }
    return alarms;
  }

  private JsonArray worst(Surroundings now) {
    var worst = new JsonArray();
    now.worst().entrySet().stream()
        .filter(entry -> visible(now.fleet()).test(entry.getKey()))
        .filter(entry -> entry.getKey().isOfAgent() && !entry.getValue().isEmpty())
        .sorted(
            Comparator.comparingDouble(
                    (Map.Entry<SeriesKey, HopTimes> entry) ->
                        entry.getValue().of(Hop.TOTAL).percentileMs(99))
                .reversed())
        .limit(WORST)
        .forEach(
            entry ->
                worst.add(
                    new JsonObject()
                        .put("agent", entry.getKey().agent())
                        .put("system", entry.getKey().system())
                        .put("count", entry.getValue().calls())
                        .put("failed", entry.getValue().failed())
                        .put(
                            "p99_ms", MeasureJson.percentile(entry.getValue().of(Hop.TOTAL), 99))));
    return worst;
  }

  // Agents.

  private void changes(Surroundings now) {
    boolean same = now.fleet().epochMs() == fleet.epochMs() && now.sessions().equals(sessions);
    if (now.fleet().epochMs() == 0 || same) {
      return;
    }
    fleet = now.fleet();
    sessions = now.sessions();
    Map<String, JsonObject> rows = agentRows(now.fleet(), now.sessions());
    tellChanges(now, Topic.AGENTS, "agent", agents, rows, this::gone);
    agents = rows;
    Map<String, JsonObject> versions = configurationRows(now.fleet());
    tellChanges(now, Topic.CONFIG, "config", configurations, versions, _ -> Optional.empty());
    configurations = versions;
  }

  private Optional<JsonObject> gone(String agent) {
    return Optional.of(new JsonObject().put("id", agent).put("removed", true));
  }

  private void tellChanges(
      Surroundings now,
      Topic topic,
      String event,
      Map<String, JsonObject> before,
      Map<String, JsonObject> after,
      Function<String, Optional<JsonObject>> gone) {
    after.forEach(
        (agent, row) -> {
          if (!row.equals(before.get(agent))) {
            JsonObject told = row.copy();
            if (topic == Topic.AGENTS) {
              told.put("round_trip_ms", roundTrip(now.sessions(), agent));
            }
            tell(now, topic, event, Audience.OF_AGENT, agent, told);
          }
        });
    Set<String> left = new HashSet<>(before.keySet());
    left.removeAll(after.keySet());
    for (String agent : left) {
      gone.apply(agent).ifPresent(row -> tell(now, topic, event, Audience.OF_AGENT, agent, row));
    }
  }

  private Map<String, JsonObject> agentRows(Fleet fleet, Map<String, List<LiveSession>> sessions) {
    var rows = new TreeMap<String, JsonObject>();
    for (Agent agent : fleet.agents().values()) {
      if (scope.holds(agent.name(), agent.site(), agent.labels())) {
        rows.put(agent.name(), agentRow(fleet, agent, of(sessions, agent.name())));
      }
    }
    return rows;
  }

  private static JsonObject agentRow(Fleet fleet, Agent agent, List<LiveSession> sessions) {
    Optional<LiveSession> session = sessions.stream().findFirst();
    return new JsonObject()
        .put("id", agent.name())
        .put("site", agent.site())
        .put("labels", new JsonObject(Map.copyOf(agent.labels())))
        .put("state", agent.state().name().toLowerCase(Locale.ROOT))
        .put("online", session.isPresent())
        .put(
            "remote_ip",
            session.map(it -> it.remote().getHostAddress()).or(agent::lastRemoteIp).orElse(null))
        .put(
            "connected_at",
            session
                .map(LiveSession::connectedAt)
                .or(agent::connectedAt)
                .map(Instant::toString)
                .orElse(null))
        .put("tunnels", sessions.size())
        .put("undelivered", fleet.undelivered().getOrDefault(agent.name(), 0L))
        .put("removed", false);
  }

  private Map<String, JsonObject> configurationRows(Fleet fleet) {
    var rows = new HashMap<String, JsonObject>();
    for (Agent agent : fleet.agents().values()) {
      if (agent.state() != AgentState.REVOKED
          && scope.holds(agent.name(), agent.site(), agent.labels())) {
        Progress progress = fleet.progress().getOrDefault(agent.name(), NOTHING);
        rows.put(
            agent.name(),
            new JsonObject()
                .put("agent", agent.name())
                .put("config_version", progress.configVersion())
                .put("applied_version", progress.appliedVersion())
                .put("undelivered", fleet.undelivered().getOrDefault(agent.name(), 0L)));
      }
    }
    return rows;
  }

  private void pulses(Surroundings now) {
    for (String agent : watched.keySet()) {
      if (sees(now.fleet(), agent) && now.fleet().agent(agent).isPresent()) {
        List<LiveSession> sessions = of(now.sessions(), agent);
        var pulse =
            new JsonObject()
                .put("t", now.second().epochSecond())
                .put("id", agent)
                .put("online", !sessions.isEmpty())
                .put("tunnels", sessions.size())
                .put("streams", sessions.stream().mapToInt(LiveSession::outstanding).sum())
                .put("round_trip_ms", roundTrip(now.sessions(), agent));
        tell(now, Topic.AGENTS, "pulse", Audience.OF_AGENT_ONLY, agent, pulse);
      }
    }
  }

  /// The best of its tunnels; null while none is measured.
  private static @Nullable Double roundTrip(Map<String, List<LiveSession>> sessions, String agent) {
    return of(sessions, agent).stream()
        .map(LiveSession::roundTripNanos)
        .filter(nanos -> nanos > 0)
        .min(Comparator.naturalOrder())
        .map(nanos -> MeasureJson.ms(nanos / 1e6))
        .orElse(null);
  }

  private static List<LiveSession> of(Map<String, List<LiveSession>> sessions, String agent) {
    return sessions.getOrDefault(agent, List.of());
  }

  // Calls.

  private void details(Surroundings now) {
    for (SeriesKey series : now.second().series()) {
      if (watched.containsKey(series.agent()) && sees(now.fleet(), series.agent())) {
        HopTimes times = now.second().sum(series::equals);
        tell(
            now,
            Topic.LATENCY,
            "latency",
            Audience.OF_AGENT_ONLY,
            series.agent(),
            times(now, series, times));
      }
    }
  }

  private static JsonObject times(Surroundings now, @Nullable SeriesKey series, HopTimes times) {
    return new JsonObject()
        .put("t", now.second().epochSecond())
        .put("agent", series == null ? null : series.agent())
        .put("system", series == null ? null : series.system())
        .put("count", times.calls())
        .put("failed", times.failed())
        .put("hops", MeasureJson.hops(times))
        .put("cells", MeasureJson.cells(times.of(Hop.TOTAL)))
        .put("error_ms", MeasureJson.ms(times.errorMs()));
  }

  private void requests(Surroundings now, long total) {
    int shown = 0;
    for (Recent recent : now.shown()) {
      String agent = recent.call().agent();
      if (scope.isEverything() || (!agent.isEmpty() && sees(now.fleet(), agent))) {
        shown++;
        tell(now, Topic.REQUESTS, "request", Audience.OF_AGENT, agent, MeasureJson.call(recent));
      }
    }
    tell(
        now,
        Topic.REQUESTS,
        "requests",
        Audience.OF_ALL,
        "",
        new JsonObject()
            .put("t", now.second().epochSecond())
            .put("total", total)
            .put("shown", shown));
  }
}
