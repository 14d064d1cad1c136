package io.penstock.broker.ctl;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `ctl audit`: who did what.
@Command(
    name = "audit",
    description = "The audit trail: list, verify, export, report (docs/audit.md).",
    footer = {
      "",
      "Example:",
      "  penstock ctl audit list --event-type authentication.failure --from 2026-11-01T00:00:00Z",
      "  penstock ctl audit verify",
      "  penstock ctl audit export trail.jsonl",
      "  penstock ctl audit verify --file trail.jsonl --root HASH",
      "  penstock ctl audit verify --file consumed.jsonl --consumed --root HASH",
      "  penstock ctl audit report iso27001 --csv"
    })
final class AuditCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  AuditCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list(null, null, null, null, null, null, null, null);
  }

  @Command(name = "list", description = "Audit events, newest first, filtered.")
  int list(
      @Option(names = "--user", paramLabel = "EMAIL", description = "Only of this user.")
          @Nullable String user,
      @Option(names = "--event-type", paramLabel = "TYPE", description = "Only of this type.")
          @Nullable String eventType,
      @Option(names = "--resource", paramLabel = "ID", description = "Only about this resource.")
          @Nullable String resource,
      @Option(names = "--result", paramLabel = "RESULT", description = "success or failure.")
          @Nullable String result,
      @Option(names = "--reason", paramLabel = "REASON", description = "Only for this reason.")
          @Nullable String reason,
      @Option(names = "--from", paramLabel = "TIME", description = "Not before, ISO 8601.")
          @Nullable String from,
      @Option(names = "--to", paramLabel = "TIME", description = "Not after, ISO 8601.")
          @Nullable String to,
      @Option(names = "--limit", paramLabel = "N", description = "At most so many (1 to 1000).")
          @Nullable Integer limit) {
    List<String> filters = new ArrayList<>();
    add(filters, "user", user);
    add(filters, "event_type", eventType);
    add(filters, "resource_id", resource);
    add(filters, "result", result);
    add(filters, "reason", reason);
    add(filters, "from", from);
    add(filters, "to", to);
    add(filters, "limit", limit == null ? null : limit.toString());
    String query = filters.isEmpty() ? "" : "?" + String.join("&", filters);
    terminal.table(
        api.get("/audit" + query),
        "timestamp",
        "event_type",
        "user",
        "resource_id",
        "result",
        "reason",
        "ip_address");
    return ExitCode.FINE;
  }

  private static void add(List<String> filters, String name, @Nullable String value) {
    if (value != null) {
      filters.add(name + "=" + BrokerUrl.segment(value));
    }
  }
}
