package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl agents`: who is there, and whom to trust.
@Command(
    name = "agents",
    description =
        "Agents: list, show, approve, reject, revoke, release, disconnect, label, instruct.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl agents",
      "  penstock ctl agents approve plant-1 --fingerprint ABCD-EFGH",
      "  penstock ctl agents revoke plant-1",
      "",
      "Compare the fingerprint with what the agent itself prints, over another way than the"
          + " network."
    })
final class AgentCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  AgentCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list();
  }

  @Command(name = "list", description = "All agents.")
  int list() {
    terminal.table(
        api.get("/agents"),
        "id",
        "site",
        "state",
        "online",
        "remote_ip",
        "latency_ms.p50",
        "fingerprint");
    return ExitCode.FINE;
  }

  @Command(name = "show", description = "Everything about one agent.")
  int show(@Parameters(paramLabel = "ID", description = "The agent's name.") String id) {
    terminal.details(api.get(path(id)));
    return ExitCode.FINE;
  }

  @Command(
      name = "approve",
      description = "Trust a pending agent whose fingerprint you compared.",
      footer = {"", "Example:", "  penstock ctl agents approve plant-1 --fingerprint ABCD-EFGH"})
  int approve(
      @Parameters(paramLabel = "ID", description = "The agent's name.") String id,
      @Option(
              names = "--fingerprint",
              required = true,
              paramLabel = "XXXX-XXXX",
              description = "As the agent shows it.")
          String fingerprint,
      @Option(
              names = "--plain-bearer",
              description = "For a gateway whose tokens are bound to no key: you know that.")
          boolean plainBearer) {
    ObjectNode body = Json.object().put("fingerprint", fingerprint);
    if (plainBearer) {
      body.put("plain_bearer", true);
    }
    return act(id, "approve", body, "approved " + id);
  }

  @Command(name = "reject", description = "Turn a pending agent away.")
  int reject(@Parameters(paramLabel = "ID", description = "The agent's name.") String id) {
    return act(id, "reject", Json.object(), "rejected " + id);
  }

  @Command(
      name = "revoke",
      description = "Take agents' trust away for good; their sessions end at once.",
      footer = {
        "",
        "Where many need a second person (changes.require_second_person), they wait for one."
      })
  int revoke(
      @Parameters(paramLabel = "ID", arity = "1..*", description = "The agents' names.")
          List<String> ids) {
    String names = String.join(", ", ids);
    if (ids.size() == 1) {
      return revoked(api.post(path(names) + "/revoke", Json.object()), names);
    }
    ObjectNode body = Json.object();
    ids.forEach(body.putArray("agents")::add);
    JsonNode answer = api.post("/agents/revoke", body);
    for (JsonNode state : answer.path("agents")) {
      if (!WaitingChange.isOne(answer) && !state.asText().equals("revoked")) {
        terminal.details(answer.path("agents"));
        return ExitCode.FAILED;
      }
    }
    return revoked(answer, names);
  }

  private int revoked(JsonNode answer, String names) {
    terminal.answer(
        answer, WaitingChange.isOne(answer) ? WaitingChange.words(answer) : "revoked " + names);
    return ExitCode.FINE;
  }

  @Command(name = "release", description = "Let an agent out of quarantine.")
  int release(
      @Parameters(paramLabel = "ID", description = "The agent's name.") String id,
      @Option(
              names = "--fingerprint",
              required = true,
              paramLabel = "XXXX-XXXX",
              description = "As the agent shows it.")
          String fingerprint) {
    return act(id, "release", Json.object().put("fingerprint", fingerprint), "released " + id);
  }

  @Command(name = "disconnect", description = "End an agent's tunnels; it may come back at once.")
  int disconnect(@Parameters(paramLabel = "ID", description = "The agent's name.") String id) {
    return act(id, "disconnect", Json.object(), "disconnected " + id);
  }

  @Command(
      name = "label",
      description = "Set labels of an agent, or take them away; the others stay.",
      footer = {
        "",
        "Examples:",
        "  penstock ctl agents label plant-1 hall=7 line=3",
        "  penstock ctl agents label plant-1 hall-"
      })
  int label(
      @Parameters(index = "0", paramLabel = "ID", description = "The agent's name.") String id,
      @Parameters(
              index = "1..*",
              arity = "1..*",
              paramLabel = "KEY=VALUE|KEY-",
              description = "KEY=VALUE sets a label, KEY- takes it away.")
          List<String> changes) {
    ObjectNode labels = Json.object();
    changes.forEach(change -> addLabel(labels, change));
    ObjectNode body = Json.object();
    body.set("labels", labels);
    terminal.answer(api.patch(path(id), body), "labelled " + id);
    return ExitCode.FINE;
  }

  @Command(
      name = "instruct",
      description = {
        "Give an agent something to do; it waits while the agent is away.",
        "Kinds: restart-plugin (with --system), reconnect, collect-diagnostics, rotate-keys, wipe.",
        "What came of it stands in the audit trail: penstock ctl audit list"
      },
      footer = {
        "",
        "Examples:",
        "  penstock ctl agents instruct plant-1 restart-plugin --system erp",
        "  penstock ctl agents instruct plant-1 rotate-keys",
        "  penstock ctl agents instruct plant-1 collect-diagnostics --expires-in 600"
      })
  int instruct(
      @Parameters(index = "0", paramLabel = "ID", description = "The agent's name.") String id,
      @Parameters(index = "1", paramLabel = "KIND", description = "What to do.") String kind,
      @Option(names = "--system", paramLabel = "SYSTEM", description = "The system it is about.")
          @Nullable String system,
      @Option(
              names = "--expires-in",
              paramLabel = "SECONDS",
              description = "Forget it when the agent has not had it by then.")
          @Nullable Long expiresIn) {
    ObjectNode body = Json.object().put("kind", kind);
    if (system != null) {
      body.put("system", system);
    }
    if (expiresIn != null) {
      body.put("expires_in_seconds", expiresIn);
    }
    return act(id, "instructions", body, "told " + id + " to " + kind);
  }

  private static void addLabel(ObjectNode labels, String change) {
    int equals = change.indexOf('=');
    boolean goes = equals < 0 && change.endsWith("-");
    String key = change.substring(0, goes ? change.length() - 1 : Math.max(0, equals));
    if (key.isEmpty()) {
      throw Failure.wrongUsage("expected KEY=VALUE or KEY-, found " + change);
    }
    if (labels.has(key)) {
      throw Failure.wrongUsage("expected the label " + key + " once, found it twice");
    }
    if (goes) {
      labels.putNull(key);
    } else {
      labels.put(key, change.substring(equals + 1));
    }
  }

  private int act(String id, String verb, ObjectNode body, String sentence) {
    terminal.answer(api.post(path(id) + "/" + verb, body), sentence);
    return ExitCode.FINE;
  }

  private static String path(String id) {
    return "/agents/" + BrokerUrl.segment(id);
  }
}
