package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl changes`: what waits for a second person.
@Command(
    name = "changes",
    description = "Changes that wait for a second person: list, show, approve, reject, withdraw.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl changes",
      "  penstock ctl changes show 6f1c…",
      "  penstock ctl changes approve 6f1c… --comment 'as agreed in ticket 4711'",
      "",
      "Whoever proposed a change cannot approve it. Propose a deployment with",
      "  penstock ctl system deploy AGENT SYSTEM --propose REASON"
    })
final class ChangeCommands implements Callable<Integer> {
  static final String PATH = "/changes";

  private final Terminal terminal;
  private final BrokerApi api;

  ChangeCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  static String path(String id) {
    return PATH + "/" + BrokerUrl.segment(id);
  }

  @Override
  public Integer call() {
    return list("waiting");
  }

  @Command(name = "list", description = "Changes, newest first.")
  int list(
      @Option(
              names = "--state",
              paramLabel = "STATE",
              description = {
                "waiting, approved, executed, rejected, withdrawn, expired or failed;",
                "default: all."
              })
          @Nullable String state) {
    String query = state == null ? "" : "?state=" + BrokerUrl.segment(state);
    terminal.table(
        api.get(PATH + query),
        "id",
        "state",
        "kind",
        "request.path",
        "author",
        "reason",
        "created_at",
        "expires_at",
        "decided_by");
    return ExitCode.FINE;
  }

  @Command(
      name = "show",
      description = "One change: what is asked for, on what it builds, and what it would change.")
  int show(@Parameters(paramLabel = "ID", description = "The change's id.") String id) {
    JsonNode answer = api.get(path(id));
    if (terminal.isJson() || !(answer instanceof ObjectNode change)) {
      terminal.details(answer);
      return ExitCode.FINE;
    }
    JsonNode diff = change.remove("diff");
    for (String field : List.of("request", "target", "needs", "outcome")) {
      change.put(field, Json.oneLine(change.path(field)));
    }
    terminal.details(change);
    if (diff != null && !diff.isEmpty()) {
      terminal.out().println();
      Table.print(terminal.out(), rows(diff), List.of("setting", "now", "then"));
    }
    return ExitCode.FINE;
  }

  private static List<JsonNode> rows(JsonNode diff) {
    List<JsonNode> rows = new ArrayList<>();
    for (Map.Entry<String, JsonNode> each : diff.properties()) {
      rows.add(
          Json.object()
              .put("setting", each.getKey())
              .put("now", value(each.getValue().path("old")))
              .put("then", value(each.getValue().path("new"))));
    }
    return rows;
  }

  private static String value(JsonNode node) {
    return node.isMissingNode() ? "-" : Json.oneLine(node);
  }

  @Command(
      name = "approve",
      description =
          "Agree: it is carried out at once, or refused if something else was done since.",
      footer = {"", "Look at it before: penstock ctl changes show ID"})
  int approve(
      @Parameters(paramLabel = "ID", description = "The change's id.") String id,
      @Option(names = "--comment", paramLabel = "TEXT", description = "For others to read.")
          @Nullable String comment) {
    JsonNode change = decided(id, "approve", comment);
    boolean failed = change.path("state").asText().equals("failed");
    terminal.answer(
        change,
        failed
            ? "change " + id + " failed: " + Json.oneLine(change.path("outcome"))
            : "approved change " + id + ": " + change.path("kind").asText() + " is done");
    return failed ? ExitCode.FAILED : ExitCode.FINE;
  }

  @Command(name = "reject", description = "Say no.")
  int reject(
      @Parameters(paramLabel = "ID", description = "The change's id.") String id,
      @Option(names = "--comment", paramLabel = "TEXT", description = "Why, for its author.")
          @Nullable String comment) {
    terminal.answer(decided(id, "reject", comment), "rejected change " + id);
    return ExitCode.FINE;
  }

  @Command(name = "withdraw", description = "Take a change of your own back.")
  int withdraw(
      @Parameters(paramLabel = "ID", description = "The change's id.") String id,
      @Option(names = "--comment", paramLabel = "TEXT", description = "For others to read.")
          @Nullable String comment) {
    terminal.answer(decided(id, "withdraw", comment), "withdrew change " + id);
    return ExitCode.FINE;
  }

  private JsonNode decided(String id, String verb, @Nullable String comment) {
    ObjectNode body = Json.object();
    if (comment != null) {
      body.put("comment", comment);
    }
    return api.post(path(id) + "/" + verb, body);
  }
}
