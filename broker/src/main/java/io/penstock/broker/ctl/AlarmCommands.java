package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `ctl alarms`: what somebody has to look at.
@Command(
    name = "alarms",
    description = "Alarms: list, kinds, acknowledge, silence, silences, unsilence.",
    footer = {
      "",
      "Examples:",
      "  penstock ctl alarms",
      "  penstock ctl alarms list --state open --severity critical",
      "  penstock ctl alarms acknowledge 17 --note 'replaced the machine'",
      "  penstock ctl alarms silence --subject press-1 --for 2h --reason 'machine is moved'"
    })
final class AlarmCommands implements Callable<Integer> {
  private static final String PATH = "/alarms";
  private static final String SILENCES = "/silences";

  private final Terminal terminal;
  private final BrokerApi api;

  AlarmCommands(Terminal terminal, BrokerApi api) {
    this.terminal = terminal;
    this.api = api;
  }

  @Override
  public Integer call() {
    return list(null, null, null, null, null, null);
  }

  @Command(name = "list", description = "Alarms, newest first.")
  int list(
      @Option(
              names = "--state",
              paramLabel = "STATE",
              description = "open, acknowledged, cleared, or all (default).")
          @Nullable String state,
      @Option(
              names = "--severity",
              paramLabel = "SEVERITY",
              description = "critical, high, medium or low.")
          @Nullable String severity,
      @Option(names = "--kind", paramLabel = "KIND", description = "As `alarms kinds` lists it.")
          @Nullable String kind,
      @Option(
              names = "--subject",
              paramLabel = "SUBJECT",
              description = "Only about this and what is of it.")
          @Nullable String subject,
      @Option(names = "--before", paramLabel = "ID", description = "Only older than this one.")
          @Nullable Long before,
      @Option(names = "--limit", paramLabel = "N", description = "At most so many (default 1000).")
          @Nullable Integer limit) {
    var query = new ArrayList<String>();
    add(query, "state", state);
    add(query, "severity", severity);
    add(query, "kind", kind);
    add(query, "subject", subject);
    add(query, "before", before);
    add(query, "limit", limit);
    terminal.table(
        api.get(PATH + (query.isEmpty() ? "" : "?" + String.join("&", query))),
        "id",
        "last_at",
        "severity",
        "state",
        "kind",
        "subject",
        "message",
        "occurrences",
        "acknowledged_by");
    return ExitCode.FINE;
  }

  private static void add(List<String> query, String name, @Nullable Object value) {
    if (value != null) {
      query.add(name + "=" + BrokerUrl.segment(value.toString()));
    }
  }

  @Command(name = "kinds", description = "Every kind of alarm, and what to do about it.")
  int kinds() {
    terminal.table(
        api.get(PATH + "/kinds").path("kinds"), "code", "severity", "clears_itself", "title");
    return ExitCode.FINE;
  }

  @Command(name = "acknowledge", description = "Say that somebody looks after an alarm.")
  int acknowledge(
      @Parameters(paramLabel = "ID", description = "The alarm's id.") String id,
      @Option(names = "--note", paramLabel = "TEXT", description = "What was found or done.")
          @Nullable String note) {
    ObjectNode body = Json.object();
    if (note != null) {
      body.put("note", note);
    }
    terminal.answer(
        api.post(PATH + "/" + BrokerUrl.segment(id) + "/acknowledge", body),
        "acknowledged alarm " + id);
    return ExitCode.FINE;
  }

  @Command(name = "silences", description = "What wakes nobody for now.")
  int silences() {
    terminal.table(api.get(SILENCES), "id", "kind", "subject", "until", "reason", "created_by");
    return ExitCode.FINE;
  }

  @Command(
      name = "silence",
      description = "Let a kind of alarm, or one about a subject, wake nobody for a while.")
  int silence(
      @Option(names = "--kind", paramLabel = "KIND", description = "Only this kind.")
          @Nullable String kind,
      @Option(
              names = "--subject",
              paramLabel = "SUBJECT",
              description = "Only about this and what is of it, such as an agent.")
          @Nullable String subject,
      @Option(
              names = "--for",
              paramLabel = "TIME",
              required = true,
              description = "How long: 30m, 2h, 3d.")
          String time,
      @Option(
              names = "--reason",
              paramLabel = "TEXT",
              required = true,
              description = "Why, for others to read.")
          String reason) {
    ObjectNode body =
        Json.object()
            .put("until", Instant.now().plus(duration(time)).toString())
            .put("reason", reason);
    if (kind != null) {
      body.put("kind", kind);
    }
    if (subject != null) {
      body.put("subject", subject);
    }
    terminal.answer(api.post(SILENCES, body), "silenced for " + time);
    return ExitCode.FINE;
  }

  private static Duration duration(String text) {
    String upper = text.toUpperCase(Locale.ROOT);
    try {
      Duration found = Duration.parse((upper.endsWith("D") ? "P" : "PT") + upper);
      if (found.isPositive()) {
        return found;
      }
    } catch (DateTimeParseException _) {
      // Told below.
    }
    throw Failure.wrongUsage("--for: expected a time such as 30m, 2h or 3d, found " + text);
  }

  @Command(name = "unsilence", description = "Take a silence away.")
  int unsilence(@Parameters(paramLabel = "ID", description = "The silence's id.") String id) {
    terminal.answer(api.delete(SILENCES + "/" + BrokerUrl.segment(id)), "removed silence " + id);
    return ExitCode.FINE;
  }
}
