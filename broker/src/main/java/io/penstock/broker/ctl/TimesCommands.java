package io.penstock.broker.ctl;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `ctl times`: how long calls take, and where.
@Command(
    name = "times",
    description = "How long calls take, and how all of it does (docs/telemetry.md).",
    footer = {
      "",
      "Examples:",
      "  penstock ctl times",
      "  penstock ctl times now",
      "  penstock ctl times hops --agent plant-1 --from 2026-11-01T00:00:00Z",
      "  penstock ctl times requests --verdict failed --limit 20"
    })
final class TimesCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  TimesCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return systems(null, null, null);
  }

  @Command(
      name = "systems",
      description = "Agents and systems that were called, the slowest first; the last 5 minutes.")
  int systems(
      @Option(names = "--agent", paramLabel = "AGENT", description = "Only of this agent.")
          @Nullable String agent,
      @Option(names = "--from", paramLabel = "TIME", description = "Not before, ISO 8601.")
          @Nullable String from,
      @Option(names = "--to", paramLabel = "TIME", description = "Not after, ISO 8601.")
          @Nullable String to) {
    var filters = new Filters().with("agent", agent).with("from", from).with("to", to);
    terminal.tableOf(
        api.get("/latency/series" + filters.query()),
        "series",
        "agent",
        "system",
        "count",
        "failed",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "max_ms");
    return ExitCode.FINE;
  }

  @Command(
      name = "now",
      description = "The last 10 seconds of all: agents, requests, open alarms, the slowest.")
  int now() {
    terminal.details(api.get("/overview"));
    return ExitCode.FINE;
  }

  @Command(name = "brokers", description = "How each broker does.")
  int brokers() {
    terminal.tableOf(
        api.get("/broker"),
        "nodes",
        "node",
        "live",
        "version",
        "uptime_s",
        "tunnels",
        "streams",
        "connections",
        "cpu",
        "database.reachable",
        "database.in_use",
        "database.waiting",
        "recorder.missed");
    return ExitCode.FINE;
  }

  @Command(name = "hops", description = "Where the time went; the last 15 minutes.")
  int hops(
      @Option(names = "--agent", paramLabel = "AGENT", description = "Only of this agent.")
          @Nullable String agent,
      @Option(names = "--system", paramLabel = "SYSTEM", description = "Only of this system.")
          @Nullable String system,
      @Option(names = "--from", paramLabel = "TIME", description = "Not before, ISO 8601.")
          @Nullable String from,
      @Option(names = "--to", paramLabel = "TIME", description = "Not after, ISO 8601.")
          @Nullable String to) {
    var filters =
        new Filters().with("agent", agent).with("system", system).with("from", from).with("to", to);
    terminal.tableOf(
        api.get("/latency/hops" + filters.query()),
        "hops",
        "hop",
        "count",
        "mean_ms",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "max_ms");
    return ExitCode.FINE;
  }

  @Command(name = "requests", description = "Recent requests of the broker, newest first.")
  int requests(
      @Option(names = "--agent", paramLabel = "AGENT", description = "Only of this agent.")
          @Nullable String agent,
      @Option(names = "--system", paramLabel = "SYSTEM", description = "Only of this system.")
          @Nullable String system,
      @Option(
              names = "--verdict",
              paramLabel = "WORD",
              description = "ok, cancelled, as in Penstock-Error, or failed for all but ok.")
          @Nullable String verdict,
      @Option(names = "--min-ms", paramLabel = "MS", description = "Only those that took longer.")
          @Nullable String minMs,
      @Option(names = "--limit", paramLabel = "N", description = "At most so many (1 to 1000).")
          @Nullable Integer limit) {
    var filters =
        new Filters()
            .with("agent", agent)
            .with("system", system)
            .with("verdict", verdict)
            .with("min_ms", minMs)
            .with("limit", limit == null ? null : limit.toString());
    terminal.tableOf(
        api.get("/requests" + filters.query()),
        "rows",
        "at",
        "id",
        "agent",
        "system",
        "caller",
        "method",
        "status",
        "verdict",
        "total_ms",
        "hops.broker_ms",
        "hops.tunnel_ms",
        "hops.agent_ms",
        "hops.system_ms",
        "hops.body_ms");
    return ExitCode.FINE;
  }

  private static final class Filters {
    private final List<String> filters = new ArrayList<>();

    Filters with(String name, @Nullable String value) {
      if (value != null) {
        filters.add(name + "=" + BrokerUrl.segment(value));
      }
      return this;
    }

    String query() {
      return filters.isEmpty() ? "" : "?" + String.join("&", filters);
    }
  }
}
