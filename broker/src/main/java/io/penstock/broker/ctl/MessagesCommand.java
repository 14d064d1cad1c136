package io.penstock.broker.ctl;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `ctl messages`: what an agent has yet to hear.
@Command(
    name = "messages",
    description = "What waits for an agent, and why.",
    footer = {"", "Example:", "  penstock ctl messages plant-1"})
final class MessagesCommand implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  @Parameters(paramLabel = "AGENT", description = "The agent's name.")
  String agent = "";

  MessagesCommand(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  static String path(String agent) {
    return "/agents/" + BrokerUrl.segment(agent) + "/messages";
  }

  @Override
  public Integer call() {
    terminal.table(
        api.get(path(agent)),
        "sequence",
        "kind",
        "system",
        "version",
        "state",
        "attempts",
        "created_at",
        "author",
        "why");
    return ExitCode.FINE;
  }
}
