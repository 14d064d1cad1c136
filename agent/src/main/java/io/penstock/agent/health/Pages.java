package io.penstock.agent.health;

import io.penstock.agent.config.Configurations;
import io.penstock.agent.config.SystemStatus;
import io.penstock.agent.link.Link;
import io.penstock.agent.link.Link.LiveTunnel;
import io.penstock.agent.link.SlotStatus;
import io.penstock.agent.link.Stage;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the pages of [HealthServer] say.
final class Pages {
  private final Link link;
  private final Configurations configurations;

  Pages(Link link, Configurations configurations) {
    this.link = link;
    this.configurations = configurations;
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
