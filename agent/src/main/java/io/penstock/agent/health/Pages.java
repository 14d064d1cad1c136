package io.penstock.agent.health;

import io.penstock.agent.config.Configurations;
import io.penstock.agent.config.SystemStatus;
import io.penstock.agent.link.Link;
import io.penstock.agent.link.Link.LiveTunnel;
import io.penstock.agent.link.SlotStatus;
import io.penstock.agent.link.Stage;
import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.CallMeters.Calls;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// What the pages of [HealthServer] say.
final class Pages {
  private final Link link;
  private final Configurations configurations;
  private final CallMeters calls;
  private final Optional<Supplier<Health.SpanCounts>> spans;
  private final LongSupplier lagNanos;

  Pages(Health.Watched it, LongSupplier lagNanos) {
    link = it.link();
    configurations = it.configurations();
    calls = it.calls();
    spans = it.spans();
    this.lagNanos = lagNanos;
  }

  boolean isReady() {
    return !link.tunnels().isEmpty();
  }

  /// JSON, written by hand: every value is a number or a text that is escaped.
  String health() {
    var json = new StringBuilder("{\"status\":\"");
    json.append(isReady() ? "ok" : "connecting").append("\",\"tunnels\":[");
    String separator = "";
    for (SlotStatus slot : link.slots()) {
      json.append(separator);
      tunnel(json, slot);
      separator = ",";
    }
    json.append("],\"configuration\":{\"stale\":")
        .append(configurations.isStale())
        .append(",\"incarnation\":")
        .append(configurations.incarnation())
        .append(",\"sequence\":")
        .append(configurations.sequence())
        .append(",\"systems\":[");
    separator = "";
    for (SystemStatus system : configurations.statuses()) {
      json.append(separator);
      system(json, system);
      separator = ",";
    }
    return json.append("]}}\n").toString();
  }

  private static void system(StringBuilder json, SystemStatus system) {
    json.append("{\"system\":\"")
        .append(escape(system.system()))
        .append("\",\"version\":")
        .append(system.held().version())
        .append(",\"state\":\"")
        .append(system.state().text())
        .append('"');
    system.problem().ifPresent(it -> json.append(",\"problem\":\"").append(escape(it)).append('"'));
    json.append('}');
  }

  private void tunnel(StringBuilder json, SlotStatus slot) {
    Optional<LiveTunnel> live = live(slot);
    json.append("{\"slot\":").append(slot.slot()).append(",\"up\":").append(live.isPresent());
    live.ifPresent(
        it ->
            json.append(",\"streams\":")
                .append(it.openStreams())
                .append(",\"round_trip_ms\":")
                .append(String.format(Locale.ROOT, "%.3f", it.roundTripNanos() / 1e6)));
    slot.broker()
        .ifPresent(it -> json.append(",\"broker\":\"").append(escape(it.toString())).append('"'));
    slot.lastFailure()
        .ifPresent(it -> json.append(",\"last_failure\":\"").append(escape(it)).append('"'));
    json.append('}');
  }

  private Optional<LiveTunnel> live(SlotStatus slot) {
    return link.tunnels().stream().filter(it -> it.slot() == slot.slot()).findFirst();
  }

  private static String escape(String text) {
    var escaped = new StringBuilder();
    text.chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                escaped.append('\\');
              }
              escaped.append(c < 0x20 ? ' ' : (char) c);
            });
    return escaped.toString();
  }

  /// Prometheus text format 0.0.4.
  String metrics() {
    var text = new StringBuilder();
    List<LiveTunnel> tunnels = link.tunnels();
    Link.Totals totals = link.totals();
    metric(text, "penstock_agent_tunnels_up", "gauge", "Tunnels that serve.", tunnels.size());
    reconnects(text);
    metric(
        text,
        "penstock_agent_streams_total",
        "counter",
        "Streams of the broker.",
        totals.streams());
    metric(
        text,
        "penstock_agent_streams_open",
        "gauge",
        "Streams under way.",
        tunnels.stream().mapToLong(LiveTunnel::openStreams).sum());
    metric(
        text,
        "penstock_agent_tunnel_received_bytes_total",
        "counter",
        "Bytes of records that came in.",
        totals.bytesIn());
    metric(
        text,
        "penstock_agent_tunnel_sent_bytes_total",
        "counter",
        "Bytes of records that went out.",
        totals.bytesOut());
    roundTrips(text, tunnels);
    deployed(text);
    calls(text);
    spans(text);
    process(text);
    return text.toString();
  }

  private void reconnects(StringBuilder text) {
    head(text, "penstock_agent_failures_total", "counter", "Dials and tunnels that failed.");
    for (SlotStatus slot : link.slots()) {
      for (Stage stage : Stage.values()) {
        text.append("penstock_agent_failures_total{slot=\"")
            .append(slot.slot())
            .append("\",stage=\"")
            .append(stage.label())
            .append("\"} ")
            .append(slot.failures().getOrDefault(stage, 0L))
            .append('\n');
      }
    }
    head(text, "penstock_agent_admissions_total", "counter", "Tunnels that were admitted.");
    for (SlotStatus slot : link.slots()) {
      text.append("penstock_agent_admissions_total{slot=\"")
          .append(slot.slot())
          .append("\"} ")
          .append(slot.admissions())
          .append('\n');
    }
  }

  private void deployed(StringBuilder text) {
    metric(
        text,
        "penstock_agent_configuration_stale",
        "gauge",
        "1 while the newest head has expired.",
        configurations.isStale() ? 1 : 0);
    metric(
        text,
        "penstock_agent_configuration_sequence",
        "gauge",
        "Sequence of the newest head.",
        configurations.sequence());
    head(text, "penstock_agent_system_version", "gauge", "Version of a deployed system.");
    for (SystemStatus system : configurations.statuses()) {
      text.append("penstock_agent_system_version{system=\"")
          .append(system.system())
          .append("\",state=\"")
          .append(system.state().text())
          .append("\"} ")
          .append(system.held().version())
          .append('\n');
    }
  }

  private void calls(StringBuilder text) {
    Map<String, Calls> all = calls.all();
    head(text, "penstock_agent_calls_total", "counter", "Calls of systems that are over.");
    all.forEach(
        (system, it) -> {
          calls(text, system, "answered", it.answered());
          calls(text, system, "failed", it.failed());
        });
    head(
        text,
        "penstock_agent_call_seconds_total",
        "counter",
        "Time until the head of answered calls, by hop.");
    all.forEach(
        (system, it) -> {
          seconds(text, system, "agent", it.agentMicros());
          seconds(text, system, "system", it.systemMicros());
        });
  }

  private static void calls(StringBuilder text, String system, String outcome, long count) {
    text.append("penstock_agent_calls_total{system=\"")
        .append(system)
        .append("\",outcome=\"")
        .append(outcome)
        .append("\"} ")
        .append(count)
        .append('\n');
  }

  private static void seconds(StringBuilder text, String system, String hop, long micros) {
    text.append("penstock_agent_call_seconds_total{system=\"")
        .append(system)
        .append("\",hop=\"")
        .append(hop)
        .append("\"} ")
        .append(String.format(Locale.ROOT, "%.6f", micros / 1e6))
        .append('\n');
  }

  private void spans(StringBuilder text) {
    Health.SpanCounts counts =
        spans.map(Supplier::get).orElseGet(() -> new Health.SpanCounts(0, 0));
    head(text, "penstock_agent_spans_total", "counter", "Spans by what became of them.");
    text.append("penstock_agent_spans_total{outcome=\"exported\"} ")
        .append(counts.exported())
        .append("\npenstock_agent_spans_total{outcome=\"lost\"} ")
        .append(counts.lost())
        .append('\n');
  }

  private void process(StringBuilder text) {
    seconds(
        text,
        "penstock_agent_event_loop_lag_seconds",
        "How long the last task waited for the event loop.",
        lagNanos.getAsLong() / 1e9);
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    metric(text, "penstock_agent_heap_used_bytes", "gauge", "Heap in use.", heap.getUsed());
    metric(text, "penstock_agent_heap_max_bytes", "gauge", "Largest heap.", heap.getMax());
    metric(
        text,
        "penstock_agent_threads",
        "gauge",
        "Platform threads.",
        ManagementFactory.getThreadMXBean().getThreadCount());
    seconds(
        text,
        "penstock_agent_uptime_seconds",
        "Since the process started.",
        ManagementFactory.getRuntimeMXBean().getUptime() / 1e3);
  }

  private static void seconds(StringBuilder text, String name, String help, double value) {
    head(text, name, "gauge", help);
    text.append(name).append(' ').append(String.format(Locale.ROOT, "%.6f", value)).append('\n');
  }

  private static void roundTrips(StringBuilder text, List<LiveTunnel> tunnels) {
    head(text, "penstock_agent_round_trip_seconds", "gauge", "Last round trip to the broker.");
    for (LiveTunnel tunnel : tunnels) {
      if (tunnel.roundTripNanos() > 0) {
        text.append("penstock_agent_round_trip_seconds{slot=\"")
            .append(tunnel.slot())
            .append("\"} ")
            .append(String.format(Locale.ROOT, "%.6f", tunnel.roundTripNanos() / 1e9))
            .append('\n');
      }
    }
  }

  private static void metric(
      StringBuilder text, String name, String type, String help, long value) {
    head(text, name, type, help);
    text.append(name).append(' ').append(value).append('\n');
  }

  private static void head(StringBuilder text, String name, String type, String help) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
  }
}
