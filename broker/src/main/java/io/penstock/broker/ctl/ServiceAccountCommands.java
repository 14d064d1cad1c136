package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl service-account`: cloud services and the systems they may invoke.
@Command(
    name = "service-account",
    description = "Service accounts: list, create, token, delete.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl service-account create billing --system hamburg/erp",
      "  penstock ctl service-account token billing --ttl 3600"
    })
final class ServiceAccountCommands implements Callable<Integer> {
  private static final String PATH = "/service-accounts";

  private final Terminal terminal;
  private final BrokerApi api;

  ServiceAccountCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list();
  }

  @Command(name = "list", description = "All service accounts.")
  int list() {
    terminal.table(api.get(PATH), "name", "systems", "disabled", "last_used_at");
    return ExitCode.FINE;
  }

  @Command(name = "create", description = "Create a service account.")
  int create(
      @Parameters(paramLabel = "NAME", description = "Its name.") String name,
      @Option(
              names = "--system",
              required = true,
              paramLabel = "SITE/SYSTEM",
              description = "A system it may invoke; may be repeated.")
          List<String> systems) {
    ObjectNode body = Json.object().put("name", name);
    systems.forEach(body.putArray("systems")::add);
    terminal.answer(api.post(PATH, body), "created service account " + name);
    return ExitCode.FINE;
  }

  @Command(name = "token", description = "Make a token for it; the token is printed once.")
  int token(
      @Parameters(paramLabel = "NAME", description = "The service account.") String name,
      @Option(
              names = "--ttl",
              paramLabel = "SECONDS",
              defaultValue = "3600",
              description = "Lifetime (default ${DEFAULT-VALUE}).")
          long ttlSeconds) {
    JsonNode answer =
        api.post(
            PATH + "/" + BrokerUrl.segment(name) + "/tokens",
            Json.object().put("ttl_seconds", ttlSeconds));
    terminal.answer(answer, answer.path("token").asText());
    return ExitCode.FINE;
  }

  @Command(name = "delete", description = "Delete it; its tokens end with it.")
  int delete(@Parameters(paramLabel = "NAME", description = "The service account.") String name) {
    terminal.answer(
        api.delete(PATH + "/" + BrokerUrl.segment(name)), "deleted service account " + name);
    return ExitCode.FINE;
  }
}
