package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl audit report`: what auditors ask for.
@Command(
    name = "report",
    description = {
      "A ready report: gdpr (what --user accessed), soc2 (changes of configuration), iso27001 (who"
          + " failed to sign in more than five times), access (users, service accounts and tokens"
          + " with the time of their last use)."
    })
final class AuditReport implements Callable<Integer> {
  private static final Pattern NEXT = Pattern.compile("after=(\\d+)");

  private final Terminal terminal;
  private final BrokerApi api;

  enum Name {
    gdpr,
    soc2,
    iso27001,
    access
  }

  @Parameters(paramLabel = "gdpr|soc2|iso27001|access", description = "Which one.")
  private Name name = Name.gdpr;

  @Option(names = "--user", paramLabel = "EMAIL", description = "gdpr: whose data access.")
  private @Nullable String user;

  @Option(
      names = "--days",
      paramLabel = "N",
      description = "gdpr (90), iso27001 (30): how far back.")
  private @Nullable Integer days;

  @Option(
      names = "--from",
      paramLabel = "TIME",
      description = "soc2: ISO 8601, default a year ago.")
  private @Nullable String from;

  @Option(names = "--to", paramLabel = "TIME", description = "soc2: not itself; default now.")
  private @Nullable String to;

  @Option(
      names = "--unused-days",
      paramLabel = "N",
      description = "access: only what was not used for so long.")
  private @Nullable Integer unusedDays;

  @Option(names = "--csv", description = "Print CSV.")
  private boolean csv;

  AuditReport(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    if (name == Name.gdpr && user == null) {
      throw Failure.wrongUsage("gdpr: expected --user, whose data access is asked for");
    }
    if (csv) {
      printCsv();
    } else {
      printRows();
    }
    return ExitCode.FINE;
  }

  private void printRows() {
    JsonNode report = api.get(path(""));
    ArrayNode rows = report.withArray("rows");
    JsonNode next = report.path("next");
    while (next.isNumber()) {
      JsonNode page = api.get(path("after=" + next.asLong()));
      page.path("rows").forEach(rows::add);
      next = page.path("next");
    }
    if (terminal.isJson() && report instanceof ObjectNode whole) {
      whole.putNull("next");
      terminal.out().println(Json.pretty(whole));
      return;
    }
    var fields = new ArrayList<String>();
    report.path("fields").forEach(field -> fields.add(field.asText()));
    var all = new ArrayList<JsonNode>();
    rows.forEach(all::add);
    Table.print(terminal.out(), all, fields);
  }

  /// Page after page; the line with the names of the fields once.
  private void printCsv() {
    HttpResponse<byte[]> page = api.getRaw(path("format=csv"));
    terminal.out().print(new String(page.body(), StandardCharsets.UTF_8));
    Matcher next = NEXT.matcher(page.headers().firstValue("Link").orElse(""));
    while (next.find()) {
      page = api.getRaw(path("format=csv&after=" + next.group(1)));
      String text = new String(page.body(), StandardCharsets.UTF_8);
      terminal.out().print(text.substring(text.indexOf('\n') + 1));
      next = NEXT.matcher(page.headers().firstValue("Link").orElse(""));
    }
    terminal.out().flush();
  }

  private String path(String more) {
    List<String> query = new ArrayList<>();
    add(query, "user", user);
    add(query, "days", days == null ? null : days.toString());
    add(query, "unused_days", unusedDays == null ? null : unusedDays.toString());
    add(query, "from", from);
    add(query, "to", to);
    if (!more.isEmpty()) {
      query.add(more);
    }
    String path = "/audit/reports/" + name;
    return query.isEmpty() ? path : path + "?" + String.join("&", query);
  }

  private static void add(List<String> query, String name, @Nullable String value) {
    if (value != null) {
      query.add(name + "=" + BrokerUrl.segment(value));
    }
  }
}
