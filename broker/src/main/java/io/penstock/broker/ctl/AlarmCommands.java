package io.penstock.broker.ctl;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `ctl alarms`: what somebody has to look at.
@Command(
    name = "alarms",
    description = "Alarms: list, ack.",
    footer = {"", "Examples:", "  penstock ctl alarms", "  penstock ctl alarms ack 17"})
final class AlarmCommands implements Callable<Integer> {
  private final Terminal terminal;
  private final BrokerApi api;

  AlarmCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list();
  }

  @Command(name = "list", description = "Alarms, newest first.")
  int list() {
    terminal.table(
        api.get("/alarms"),
        "id",
        "raised_at",
        "severity",
        "type",
        "agent",
        "text",
        "acknowledged_by");
    return ExitCode.FINE;
  }

  @Command(name = "ack", description = "Acknowledge an alarm.")
  int acknowledge(@Parameters(paramLabel = "ID", description = "The alarm's id.") String id) {
    terminal.answer(
        api.post("/alarms/" + BrokerUrl.segment(id) + "/acknowledge", Json.object()),
        "acknowledged alarm " + id);
    return ExitCode.FINE;
  }
}
