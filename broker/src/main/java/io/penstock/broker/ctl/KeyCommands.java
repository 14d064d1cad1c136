package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `ctl keys`: the owner's keys and their rotation.
@Command(
    name = "keys",
    description = "The broker owner's keys: list, rotate, retire (docs/keys.md).",
    footer = {
      "",
      "Examples:",
      "  penstock ctl keys",
      "  penstock ctl keys rotate --use all",
      "  penstock ctl keys rotate --use root",
      "  penstock ctl keys rotate --use jwt --compromised --yes",
      "  penstock ctl keys retire --kid configuration-0123456789abcdef"
    })
final class KeyCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  KeyCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list();
  }

  @Command(
      name = "list",
      description = {
        "Keys with their use, id and state; no secret is shown.",
        "announced: in the keyset, not used yet. signing: the one in use. verifying: replaced, but"
            + " something made by it still counts (needed_by). retired: counts for nothing."
      })
  int list() {
    terminal.table(
        api.get("/keys"), "use", "kid", "state", "created_at", "changed_at", "needed_by");
    return ExitCode.FINE;
  }

  @Command(
      name = "rotate",
      description = {
        "Make a new key. What the old one made stays valid until it is made anew or expires; then"
            + " the old one is retired by itself. Agents that are offline follow when they return."
      })
  int rotate(
      @Option(
              names = "--use",
              required = true,
              paramLabel = "USE",
              description =
                  "node-issuer, record, configuration, checkpoint, jwt, kek, enroll-root, root, or"
                      + " all (everything but the root).")
          String use,
      @Option(
              names = "--compromised",
              description = "Somebody else may have the old key: retire it at once.")
          boolean compromised,
      @Option(names = "--yes", description = "Confirm what --compromised makes invalid.")
          boolean yes) {
    ObjectNode body = Json.object().put("use", use);
    if (compromised) {
      body.put("compromised", true);
    }
    if (yes) {
      body.put("confirm", true);
    }
    JsonNode answer = api.post("/keys/rotate", body);
    var text = new StringBuilder();
    answer
        .path("rotated")
        .forEach(
            each ->
                text.append(text.isEmpty() ? "" : System.lineSeparator())
                    .append("rotated ")
                    .append(each.path("use").asText())
                    .append(": ")
                    .append(each.path("kid").asText())
                    .append(" replaces ")
                    .append(each.path("replaced").asText()));
    answer
        .path("failed")
        .forEach(
            each ->
                text.append(System.lineSeparator())
                    .append("NOT deployed again: ")
                    .append(each.asText()));
    terminal.answer(answer, text.toString());
    return answer.path("failed").isEmpty() ? ExitCode.FINE : ExitCode.FAILED;
  }

  @Command(
      name = "retire",
      description =
          "Give up a replaced key that nothing needs any more; refused, saying why, else.")
  int retire(
      @Option(
              names = "--kid",
              required = true,
              paramLabel = "KID",
              description = "The key's id, as keys list shows it.")
          String kid) {
    terminal.answer(api.post("/keys/retire", Json.object().put("kid", kid)), "retired " + kid);
    return ExitCode.FINE;
  }
}
