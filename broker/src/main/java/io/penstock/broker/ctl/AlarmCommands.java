package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl alarms`: what somebody has to look at.
@Command(
    name = "alarms",
    description = "Alarms: list, ack.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl alarms",
      "  penstock ctl alarms ack 17 --comment 'replaced the machine'"
    })
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
        "last_at",
        "severity",
        "kind",
        "subject",
        "message",
        "occurrences",
        "acknowledged_by");
    return ExitCode.FINE;
  }

  @Command(name = "ack", description = "Acknowledge an alarm.")
  int acknowledge(
      @Parameters(paramLabel = "ID", description = "The alarm's id.") String id,
      @Option(names = "--comment", paramLabel = "TEXT", description = "What was found or done.")
          @Nullable String comment) {
    ObjectNode body = Json.object();
    if (comment != null) {
      body.put("comment", comment);
    }
    terminal.answer(
        api.post("/alarms/" + BrokerUrl.segment(id) + "/acknowledge", body),
        "acknowledged alarm " + id);
    return ExitCode.FINE;
  }
}
