package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl token`: the one-time secrets with which new agents ask for trust.
@Command(
    name = "token",
    description = "Enrollment tokens: create, list, delete.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl token create --agent plant-1 --out plant-1.token",
      "  penstock ctl token create --site hamburg --label line=3 --ttl 3600 --cidr 10.1.0.0/16",
      "  penstock ctl token list"
    })
final class TokenCommands implements Callable<Integer> {
  private static final String PATH = "/enrollment-tokens";

  private final Terminal terminal;
  private final BrokerApi api;

  TokenCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list();
  }

  @Command(name = "list", description = "The tokens, without their secrets.")
  int list() {
    terminal.table(
        api.get(PATH),
        "id",
        "agent",
        "site",
        "labels",
        "expires_at",
        "used_at",
        "used_by",
        "refusals");
    return ExitCode.FINE;
  }

  @Command(
      name = "create",
      description = "Create a token; its text is shown once and stored nowhere.",
      footer = {
        "",
        "Example:",
        "  penstock ctl token create --agent plant-1 --site hamburg --ttl 3600 --out plant-1.token",
        "Then on the agent's machine:",
        "  penstock agent --config agent.yaml --token-file plant-1.token"
      })
  int create(
      @Option(
              names = "--agent",
              paramLabel = "NAME",
              description = "The one agent that may use it.")
          @Nullable String agent,
      @Option(
              names = "--site",
              paramLabel = "SITE",
              description = "The site its agent will belong to.")
          @Nullable String site,
      @Option(
              names = "--label",
              paramLabel = "KEY=VALUE",
              description = "A label of its agent; may be repeated.")
          @Nullable Map<String, String> labels,
      @Option(
              names = "--ttl",
              paramLabel = "SECONDS",
              defaultValue = "3600",
              description = "Lifetime, at most 86400 (default ${DEFAULT-VALUE}).")
          long ttlSeconds,
      @Option(
              names = "--cidr",
              paramLabel = "CIDR",
              description = "A network it may be used from; may be repeated.")
          @Nullable List<String> cidrs,
      @Option(
              names = "--reenroll",
              description = "For a new machine or new keys of an agent that exists.")
          boolean reenroll,
      @Option(
              names = "--out",
              paramLabel = "FILE",
              description = "Write the token here, readable for you alone, instead of printing it.")
          @Nullable Path out) {
    ObjectNode body = Json.object().put("ttl_seconds", ttlSeconds);
    if (agent != null) {
      body.put("agent", agent);
    }
    if (site != null) {
      body.put("site", site);
    }
    if (labels != null) {
      labels.forEach(body.putObject("labels")::put);
    }
    if (cidrs != null) {
      cidrs.forEach(body.putArray("allowed_cidrs")::add);
    }
    if (reenroll) {
      body.put("reenroll", true);
    }
    show(api.post(PATH, body), out);
    return ExitCode.FINE;
  }

  @Command(name = "delete", description = "Delete a token; if unused it cannot be used any more.")
  int delete(@Parameters(paramLabel = "ID", description = "The token's id.") String id) {
    terminal.answer(api.delete(PATH + "/" + BrokerUrl.segment(id)), "deleted token " + id);
    return ExitCode.FINE;
  }

  private void show(JsonNode created, @Nullable Path out) {
    String token = created.path("token").asText();
    if (out == null) {
      terminal.answer(created, token);
      return;
    }
    write(out, token);
    ObjectNode withoutSecret = created.deepCopy();
    withoutSecret.remove("token");
    withoutSecret.put("file", out.toString());
    terminal.answer(
        withoutSecret,
        "token %s, valid until %s, written to %s"
            .formatted(created.path("id").asText(), created.path("expires_at").asText(), out));
  }

  private static void write(Path file, String token) {
    try {
      PrivateFiles.write(file, (token + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw Failure.failed(
          "the token was created but cannot be written to " + file + ": " + e.getMessage());
    }
  }
}
