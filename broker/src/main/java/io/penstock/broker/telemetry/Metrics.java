package io.penstock.broker.telemetry;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.penstock.broker.audit.ChainState;
import io.penstock.broker.audit.ShippingState;
import io.penstock.broker.delivery.DeliveryCounters;
import io.penstock.broker.edge.InvocationObserver;
import io.penstock.broker.front.FrontCounters;
import io.penstock.broker.measure.Instruments;
import io.penstock.broker.measure.LoopLag.Lag;
import io.penstock.broker.measure.NodeStatus;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.store.Database;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.broker.tunnel.TunnelCounters;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/// All meters of one broker. Labels are closed sets of our own words, and, for a bounded number of
/// them, names of agents and systems that were called; nothing that a caller sent. What others
/// count is read when somebody scrapes.
public final class Metrics implements AutoCloseable {
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collections = new JvmGcMetrics();
  private final InvocationMeters invocations = new InvocationMeters(registry);
  private final OpenAlarms alarms;
  private final Sources sources;
  private final Database database;
  private volatile double undelivered = Double.NaN;

  /// What is counted elsewhere.
  public record Sources(
      Supplier<TunnelCounters.Snapshot> tunnels,
      Supplier<FrontCounters.Snapshot> front,
      Supplier<List<LiveSession>> sessions,
      Supplier<DeliveryCounters.Snapshot> delivery,
      Supplier<Map<String, Long>> undelivered,
      Supplier<ChainState> audit,
      Supplier<ShippingState> kafka,
      Instruments instruments,
      Supplier<NodeStatus.LiveUse> live,
      Supplier<SpanCounts> spans) {}

  /// Spans that a collector took, and those that were lost on the way.
  public record SpanCounts(long exported, long lost) {
    public static final SpanCounts NONE = new SpanCounts(0, 0);
  }

  public Metrics(Sources sources, Database database) {
    // Held here: the registry itself holds what it reads by weak references.
    this.sources = sources;
    this.database = database;
    alarms = new OpenAlarms(database);
    addTunnels();
    addFront();
    addDelivery();
    addAlarms();
    addAudit();
    addDatabase();
    addLoops();
    addMeasuring();
    addSpans();
    if (sources.kafka().get().on()) {
      addKafka();
    }
    addProcess();
  }

  /// Invocations under way.
  public long running() {
    return invocations.running();
  }

  public InvocationObserver invocations() {
    return invocations;
  }

  /// Reads from the database what is not counted in memory; blocks. Called by a timer, never by a
  /// scrape.
  public void refresh() {
    undelivered = Double.NaN;
    alarms.refresh();
    undelivered =
        (double) sources.undelivered().get().values().stream().mapToLong(Long::longValue).sum();
  }

  /// Prometheus text format 0.0.4.
  String text() {
    return registry.scrape() + new SystemMeters(sources.instruments().measuring()).text();
  }

  private void addTunnels() {
    gauge("penstock.tunnels.up", "Admitted tunnels.", () -> sources.sessions().get().size());
    gauge(
        "penstock.streams.open",
        "Streams under way, of all tunnels.",
        () -> sources.sessions().get().stream().mapToInt(LiveSession::outstanding).sum());
    gauge(
        "penstock.tunnel.connections.open",
        "WebSockets of agents, those in handshake included.",
        () -> sources.tunnels().get().open());
    tunnel("penstock.tunnel.handshakes", "Completed.", TunnelCounters.Snapshot::handshakes);
    String failed = "penstock.tunnel.handshakes.failed";
    String why = "Tunnels that came to nothing.";
    tunnel(failed, why, "bad-message", TunnelCounters.Snapshot::handshakesFailed);
    tunnel(failed, why, "timeout", TunnelCounters.Snapshot::handshakesTimedOut);
    tunnel(failed, why, "refused", TunnelCounters.Snapshot::refused);
    tunnel(failed, why, "overload", TunnelCounters.Snapshot::refusedForLoad);
    tunnel(failed, why, "bad-upgrade", TunnelCounters.Snapshot::refusedRequests);
    tunnel("penstock.tunnel.sessions", "Admitted.", TunnelCounters.Snapshot::admitted);
    String cut = "penstock.tunnel.sessions.cut";
    String by = "Sessions that the broker ended.";
    tunnel(cut, by, "silent", TunnelCounters.Snapshot::silent);
    tunnel(cut, by, "replaced", TunnelCounters.Snapshot::replaced);
    tunnel(cut, by, "protocol-error", TunnelCounters.Snapshot::protocolErrors);
    tunnel(cut, by, "websocket-error", TunnelCounters.Snapshot::violations);
    String records = "penstock.tunnel.records";
    String messages = "WebSocket messages, each one record of frames.";
    direction(records, messages, "in", TunnelCounters.Snapshot::recordsIn);
    direction(records, messages, "out", TunnelCounters.Snapshot::recordsOut);
    String bytes = "penstock.tunnel.bytes";
    String size = "Bytes of these messages.";
    direction(bytes, size, "in", TunnelCounters.Snapshot::bytesIn);
    direction(bytes, size, "out", TunnelCounters.Snapshot::bytesOut);
  }

  private void addFront() {
    gauge(
        "penstock.connections.open",
        "Connections at the public port.",
        () -> sources.front().get().open());
    front("penstock.connections", "Accepted.", FrontCounters.Snapshot::connections);
    String closed = "penstock.connections.closed";
    String why = "Connections that the broker ended.";
    front(closed, why, "too-many", FrontCounters.Snapshot::overTotal);
    front(closed, why, "too-many-of-address", FrontCounters.Snapshot::overAddress);
    front(closed, why, "tls", FrontCounters.Snapshot::tlsFailed);
    front(closed, why, "head-timeout", FrontCounters.Snapshot::headTimeouts);
    front(closed, why, "idle", FrontCounters.Snapshot::idleTimeouts);
    front(closed, why, "stalled", FrontCounters.Snapshot::stalled);
    String refused = "penstock.requests.refused";
    String before = "Requests that reached neither the API nor a system.";
    front(refused, before, "malformed", FrontCounters.Snapshot::malformed);
    front(refused, before, "too-large", FrontCounters.Snapshot::tooLarge);
    front(refused, before, "api-unavailable", FrontCounters.Snapshot::apiUnavailable);
  }

  private void addDelivery() {
    delivery(
        "penstock.messages.sent",
        "Messages to agents, those sent again included.",
        DeliveryCounters.Snapshot::sent);
    String over = "penstock.messages.over";
    String how = "Messages that wait no longer.";
    delivery(over, how, "outcome", "acknowledged", DeliveryCounters.Snapshot::acknowledged);
    delivery(over, how, "outcome", "superseded", DeliveryCounters.Snapshot::superseded);
    delivery(over, how, "outcome", "expired", DeliveryCounters.Snapshot::expired);
    String ignored = "penstock.receipts.ignored";
    String why = "Receipts of agents that changed nothing.";
    delivery(ignored, why, "reason", "late", DeliveryCounters.Snapshot::late);
    delivery(ignored, why, "reason", "overtaken-session", DeliveryCounters.Snapshot::fenced);
    delivery(ignored, why, "reason", "invalid", DeliveryCounters.Snapshot::refused);
  }

  private void delivery(String name, String help, ToLongFunction<DeliveryCounters.Snapshot> value) {
    counter(name, help, it -> value.applyAsLong(it.delivery().get()));
  }

  private void delivery(
      String name,
      String help,
      String label,
      String word,
      ToLongFunction<DeliveryCounters.Snapshot> value) {
    counter(name, help, label, word, it -> value.applyAsLong(it.delivery().get()));
  }

  private void addAlarms() {
    for (Severity severity : Severity.values()) {
      Gauge.builder("penstock.alarms.open", () -> alarms.count(severity))
          .description("Alarms that nobody has acknowledged; NaN while Postgres is away.")
          .tag("severity", severity.name().toLowerCase(Locale.ROOT))
          .register(registry);
    }
  }

  private void addAudit() {
    audit("penstock.audit.position", "Records with a place in the chain.", ChainState::position);
    audit(
        "penstock.audit.checkpoint.number",
        "The newest signed checkpoint; only ever rises.",
        ChainState::checkpointNumber);
    audit(
        "penstock.audit.checkpoint.position",
        "Records that it covers; only ever rises.",
        ChainState::checkpointPosition);
    audit(
        "penstock.audit.checkpoint.time.seconds",
        "When it was signed, since 1970.",
        ChainState::checkpointEpochSeconds);
    audit(
        "penstock.audit.unsealed",
        "Numbers given out that may belong to records without a place yet.",
        ChainState::unsealed);
    audit(
        "penstock.audit.foreign",
        "Records that were found in the table and are not the broker's.",
        ChainState::foreign);
    audit(
        "penstock.audit.halted",
        "1 while the database contradicts what was sealed.",
        state -> state.halted() ? 1 : 0);
  }

  private void addKafka() {
    kafka(
        "penstock.audit.kafka.shipping",
        "1 while this broker brings the audit trail to Kafka; one of a cluster does.",
        state -> state.shipping() ? 1 : 0);
    kafka(
        "penstock.audit.kafka.position",
        "The last record that Kafka has acknowledged, as this broker knows it.",
        ShippingState::position);
    kafka(
        "penstock.audit.kafka.lag",
        "Records with a place in the chain that are not in Kafka yet.",
        ShippingState::lag);
    kafka(
        "penstock.audit.kafka.behind.seconds",
        "Since when something waits; 0 when nothing does, and on brokers that do not ship.",
        ShippingState::secondsBehind);
  }

  private void kafka(String name, String help, ToDoubleFunction<ShippingState> value) {
    gauge(name, help, () -> value.applyAsDouble(sources.kafka().get()));
  }

  private void audit(String name, String help, ToLongFunction<ChainState> value) {
    gauge(name, help, () -> value.applyAsLong(sources.audit().get()));
  }

  private void addDatabase() {
    gauge(
        "penstock.database.connections",
        "Connections of the pool.",
        () -> database.usage().connections());
    gauge(
        "penstock.database.connections.used",
        "Connections of transactions that run.",
        () -> database.usage().inUse());
    gauge(
        "penstock.database.waiting",
        "Transactions that wait for a connection.",
        () -> database.usage().waiting());
  }

  private void addLoops() {
    for (Lag lag : sources.instruments().lag().lags()) {
      loop("penstock.event.loop.lag", "How long the last task waited.", lag.loop(), Lag::lagMs);
      loop(
          "penstock.event.loop.lag.max",
          "The worst of the last minute.",
          lag.loop(),
          Lag::maxLagMs);
    }
  }

  private void loop(String name, String help, String loop, ToDoubleFunction<Lag> ms) {
    TimeGauge.builder(name, () -> lag(loop, ms), TimeUnit.MILLISECONDS)
        .description(help)
        .tag("loop", loop)
        .register(registry);
  }

  private double lag(String loop, ToDoubleFunction<Lag> ms) {
    return sources.instruments().lag().lags().stream()
        .filter(lag -> lag.loop().equals(loop))
        .mapToDouble(ms)
        .findFirst()
        .orElse(Double.NaN);
  }

  private void addMeasuring() {
    gauge(
        "penstock.messages.waiting",
        "Messages that wait for agents' receipts; NaN while Postgres is away.",
        () -> undelivered);
    gauge(
        "penstock.measuring.series",
        "Pairs of agent and system whose times are kept apart.",
        () -> sources.instruments().measuring().counts().series());
    counter(
        "penstock.measuring.overflowed",
        "Invocations counted under (other), because there were too many series.",
        it -> it.instruments().measuring().counts().overflowed());
    counter(
        "penstock.measuring.missed",
        "Invocations whose times were lost.",
        it -> it.instruments().measuring().counts().missed());
    gauge(
        "penstock.history.rows.waiting",
        "Rows of times that wait for Postgres.",
        () -> sources.instruments().kept().waiting());
    counter(
        "penstock.history.rows.dropped",
        "Rows of times that were lost while Postgres was away.",
        it -> it.instruments().kept().dropped());
    gauge(
        "penstock.live.streams", "Streams of the live feed.", () -> sources.live().get().streams());
    counter(
        "penstock.live.events.dropped",
        "Events that slow readers of the live feed missed.",
        it -> it.live().get().dropped());
  }

  private void addSpans() {
    String name = "penstock.spans";
    String help = "Spans by what became of them.";
    counter(name, help, "outcome", "exported", it -> it.spans().get().exported());
    counter(name, help, "outcome", "lost", it -> it.spans().get().lost());
  }

  private void addProcess() {
    new ClassLoaderMetrics().bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    collections.bindTo(registry);
  }

  private void gauge(String name, String help, Supplier<Number> value) {
    Gauge.builder(name, value).description(help).register(registry);
  }

  private void tunnel(String name, String help, ToLongFunction<TunnelCounters.Snapshot> value) {
    counter(name, help, it -> value.applyAsLong(it.tunnels().get()));
  }

  private void tunnel(
      String name, String help, String reason, ToLongFunction<TunnelCounters.Snapshot> value) {
    counter(name, help, "reason", reason, it -> value.applyAsLong(it.tunnels().get()));
  }

  private void direction(
      String name, String help, String direction, ToLongFunction<TunnelCounters.Snapshot> value) {
    counter(name, help, "direction", direction, it -> value.applyAsLong(it.tunnels().get()));
  }

  private void front(String name, String help, ToLongFunction<FrontCounters.Snapshot> value) {
    counter(name, help, it -> value.applyAsLong(it.front().get()));
  }

  private void front(
      String name, String help, String reason, ToLongFunction<FrontCounters.Snapshot> value) {
    counter(name, help, "reason", reason, it -> value.applyAsLong(it.front().get()));
  }

  private void counter(String name, String help, ToLongFunction<Sources> value) {
    FunctionCounter.builder(name, sources, it -> (double) value.applyAsLong(it))
        .description(help)
        .register(registry);
  }

  private void counter(
      String name, String help, String label, String word, ToLongFunction<Sources> value) {
    FunctionCounter.builder(name, sources, it -> (double) value.applyAsLong(it))
        .description(help)
        .tag(label, word)
        .register(registry);
  }

  @Override
  public void close() {
    collections.close();
    registry.close();
  }
}
