package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl blocks`: addresses that are not let in.
@Command(
    name = "blocks",
    description = "Blocked addresses: list, add, remove.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl blocks",
      "  penstock ctl blocks add 203.0.113.0/24 --reason guessing --ttl 86400",
      "  penstock ctl blocks remove 203.0.113.0/24"
    })
final class BlockCommands implements Callable<Integer> {
  private static final String PATH = "/blocks";

  private final Terminal terminal;
  private final BrokerApi api;

  BlockCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list();
  }

  @Command(name = "list", description = "What is blocked.")
  int list() {
    terminal.table(api.get(PATH), "cidr", "reason", "created_by", "created_at", "expires_at");
    return ExitCode.FINE;
  }

  @Command(name = "add", description = "Let an address or a range in no more.")
  int add(
      @Parameters(paramLabel = "CIDR", description = "An address or a range.") String cidr,
      @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for others to read.")
          @Nullable String reason,
      @Option(
              names = "--ttl",
              paramLabel = "SECONDS",
              description = "For so long; without it, until it is removed.")
          @Nullable Long ttlSeconds) {
    ObjectNode body = Json.object().put("cidr", cidr);
    if (reason != null) {
      body.put("reason", reason);
    }
    if (ttlSeconds != null) {
      body.put("ttl_seconds", ttlSeconds);
    }
    terminal.answer(api.post(PATH, body), "blocked " + cidr);
    return ExitCode.FINE;
  }

  @Command(name = "remove", description = "Let it in again.")
  int remove(@Parameters(paramLabel = "CIDR", description = "As it is listed.") String cidr) {
    terminal.answer(
        api.delete(PATH + "?cidr=" + BrokerUrl.segment(cidr)), "removed the block of " + cidr);
    return ExitCode.FINE;
  }
}
