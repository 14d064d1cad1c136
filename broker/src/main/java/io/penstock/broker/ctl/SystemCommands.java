package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl system`: what the systems of an agent are configured to be. [SystemPut] is its `put`.
@Command(
    name = "system",
    description =
        "Systems of an agent: put, deploy, list, show, diff, history, rollback, recover, test,"
            + " delete.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl system put plant-1 erp --plugin http --set base_url=https://erp.plant \\",
      "      --allow \"GET,POST /api/**\" --set user=penstock --secret-stdin password <"
          + " password.txt",
      "  penstock ctl system test plant-1 erp --version 3",
      "  penstock ctl system deploy plant-1 erp --wait 30",
      "",
      "Secrets are sealed on this machine, to the agent and the owner's pinned recovery key alone:",
      "the broker never sees them."
    })
final class SystemCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  SystemCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  static String path(String agent, String system) {
    return systems(agent) + "/" + BrokerUrl.segment(system);
  }

  private static String systems(String agent) {
    return "/agents/" + BrokerUrl.segment(agent) + "/systems";
  }

  @Override
  public Integer call() {
    throw Failure.wrongUsage(
        "expected one of put, deploy, list, show, diff, history, rollback, recover, test, delete");
  }

  @Command(name = "list", description = "All systems of an agent.")
  int list(@Parameters(paramLabel = "AGENT", description = "The agent's name.") String agent) {
    terminal.table(
        api.get(systems(agent)),
        "system",
        "plugin",
        "version",
        "deployed_version",
        "applied_version",
        "state",
        "drift",
        "last_receipt.outcome",
        "last_receipt.reason",
        "updated_by");
    return ExitCode.FINE;
  }

  @Command(
      name = "show",
      aliases = "get",
      description =
          "Everything about one system but its secrets, and which keys (by id) can open those.")
  int show(
      @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
          String agent,
      @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
          String system) {
    JsonNode answer = api.get(path(agent, system));
    SealedTo to = SealedTo.of(answer, api.pins().recovery());
    if (!terminal.isJson() && answer instanceof ObjectNode shown) {
      shown.put("settings", Json.oneLine(answer.path("settings")));
      var recipients = shown.putArray("recipients");
      to.lines().forEach(recipients::add);
      terminal.details(shown);
      return ExitCode.FINE;
    }
    terminal.details(to.addedTo(answer));
    return ExitCode.FINE;
  }

  @Command(name = "history", description = "All versions of one system, newest first.")
  int history(
      @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
          String agent,
      @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
          String system) {
    terminal.table(
        api.get(path(agent, system) + "/versions"),
        "version",
        "state",
        "generation",
        "secret_names",
        "author",
        "created_at",
        "receipt.outcome",
        "receipt.reason",
        "receipt.detail");
    return ExitCode.FINE;
  }

  @Command(
      name = "diff",
      description =
          "What differs between the settings of two versions; without --from and --to, between what"
              + " is deployed and the newest.")
  int diff(
      @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
          String agent,
      @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
          String system,
      @Option(names = "--from", paramLabel = "N", description = "The older version.")
          @Nullable Long from,
      @Option(names = "--to", paramLabel = "N", description = "The newer version.")
          @Nullable Long to) {
    long older = from != null ? from : number(agent, system, "deployed_version");
    long newer = to != null ? to : number(agent, system, "version");
    if (older == 0) {
      throw Failure.wrongUsage("nothing is deployed: give the older version with --from");
    }
    JsonNode answer = api.get(path(agent, system) + "/diff?from=" + older + "&to=" + newer);
    if (terminal.isJson()) {
      terminal.details(answer);
      return ExitCode.FINE;
    }
    List<JsonNode> rows = new ArrayList<>();
    for (Map.Entry<String, JsonNode> change : answer.path("changes").properties()) {
      rows.add(
          Json.object()
              .put("setting", change.getKey())
              .put("version_" + older, value(change.getValue().path("old")))
              .put("version_" + newer, value(change.getValue().path("new"))));
    }
    Table.print(terminal.out(), rows, List.of("setting", "version_" + older, "version_" + newer));
    return ExitCode.FINE;
  }

  private static String value(JsonNode node) {
    return node.isMissingNode() ? "-" : Json.oneLine(node);
  }

  private long number(String agent, String system, String field) {
    return api.get(path(agent, system)).path(field).asLong();
  }

  @Command(
      name = "deploy",
      description = "Put a version in force; an agent that is away gets it when it comes.",
      footer = {
        "",
        "Where a second person has to agree, it becomes a change that waits: penstock ctl changes",
        "Exit codes: 1 the agent refused it, or somebody its change; 5 no receipt within --wait.",
        "Examples:",
        "  penstock ctl system deploy plant-1 erp --wait 30",
        "  penstock ctl system deploy plant-1 erp --propose 'the new ERP host, ticket 4711'"
      })
  int deploy(
      @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
          String agent,
      @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
          String system,
      @Option(names = "--version", paramLabel = "N", description = "Default: the newest.")
          @Nullable Long version,
      @Option(
              names = "--wait",
              paramLabel = "SECONDS",
              description = "Wait so long for the agent's signed receipt.")
          @Nullable Integer wait,
      @Option(
              names = "--propose",
              paramLabel = "REASON",
              description = "Ask somebody else to deploy it, and say why.")
          @Nullable String reason) {
    if (reason == null) {
      return deploy(terminal, api, agent, system, version, wait, SealedTo.NOBODY);
    }
    ObjectNode body = Json.object();
    if (version != null) {
      body.put("version", version);
    }
    ObjectNode proposal =
        Json.object()
            .put("method", "POST")
            .put("path", "/api/v1" + path(agent, system) + "/deploy")
            .put("reason", reason);
    proposal.set("body", body);
    JsonNode change = api.post(ChangeCommands.PATH, proposal);
    return waits(terminal, api, agent, system, change, wait, SealedTo.NOBODY);
  }

  static int deploy(
      Terminal terminal,
      BrokerApi api,
      String agent,
      String system,
      @Nullable Long version,
      @Nullable Integer wait,
      SealedTo to) {
    ObjectNode body = Json.object();
    if (version != null) {
      body.put("version", version);
    }
    JsonNode queued = api.post(path(agent, system) + "/deploy", body);
    if (WaitingChange.isOne(queued)) {
      return waits(terminal, api, agent, system, queued, wait, to);
    }
    long deployed = queued.path("version").asLong();
    if (wait == null) {
      terminal.answer(
          to.addedTo(queued),
          "version " + deployed + " of " + system + " waits for " + agent + to.words());
      return ExitCode.FINE;
    }
    JsonNode applied =
        new Waiting(api).untilApplied(agent, system, deployed, Duration.ofSeconds(wait));
    terminal.answer(
        to.addedTo(applied),
        agent + " has applied version " + deployed + " of " + system + to.words());
    return ExitCode.FINE;
  }

  /// Nothing is deployed before somebody else agrees.
  private static int waits(
      Terminal terminal,
      BrokerApi api,
      String agent,
      String system,
      JsonNode change,
      @Nullable Integer wait,
      SealedTo to) {
    if (wait == null) {
      terminal.answer(to.addedTo(change), WaitingChange.words(change) + to.words());
      return ExitCode.FINE;
    }
    terminal.err().println("penstock ctl: " + WaitingChange.words(change));
    long end = System.nanoTime() + Duration.ofSeconds(wait).toNanos();
    JsonNode executed = new WaitingChange(api).untilExecuted(change, end);
    long version = executed.path("outcome").path("version").asLong();
    JsonNode applied =
        new Waiting(api)
            .untilApplied(
                agent, system, version, Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    terminal.answer(
        to.addedTo(applied),
        agent + " has applied version " + version + " of " + system + to.words());
    return ExitCode.FINE;
  }

  @Command(
      name = "rollback",
      description = "Make a new version with the content of an old one; deploy puts it in force.")
  int rollback(
      @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
          String agent,
      @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
          String system,
      @Parameters(index = "2", paramLabel = "VERSION", description = "The old version.")
          long version) {
    JsonNode made =
        api.post(path(agent, system) + "/rollback", Json.object().put("version", version));
    terminal.answer(
        made,
        "version "
            + made.path("version").asLong()
            + " of "
            + system
            + " is as "
            + version
            + " was, not deployed");
    return ExitCode.FINE;
  }

  @Command(name = "delete", description = "Take a system away from an agent.")
  int delete(
      @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
          String agent,
      @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
          String system) {
    JsonNode answer = api.delete(path(agent, system));
    terminal.answer(
        answer,
        WaitingChange.isOne(answer)
            ? WaitingChange.words(answer)
            : "removed " + system + " from " + agent);
    return ExitCode.FINE;
  }

  @Command(
      name = "test",
      description = "Let the agent try a system, and name the stage that fails.",
      footer = {"", "Exit codes: 1 a stage failed."})
  int test(
      @Parameters(index = "0", paramLabel = "AGENT", description = "The agent's name.")
          String agent,
      @Parameters(index = "1", paramLabel = "SYSTEM", description = "The system's name.")
          String system,
      @Option(
              names = "--version",
              paramLabel = "N",
              description = "A version that need not be deployed; default: the one that runs.")
          @Nullable Long version) {
    ObjectNode body = Json.object();
    if (version != null) {
      body.put("version", version);
    }
    JsonNode report = api.post(path(agent, system) + "/test", body);
    if (terminal.isJson()) {
      terminal.details(report);
    } else {
      Table.print(
          terminal.out(), Json.items(report.path("stages")), List.of("name", "ok", "ms", "detail"));
    }
    return report.path("ok").asBoolean() ? ExitCode.FINE : ExitCode.FAILED;
  }
}
