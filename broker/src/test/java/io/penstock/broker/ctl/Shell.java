package io.penstock.broker.ctl;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Runs commands as a shell would, in a home of their own, and keeps what they said.
public final class Shell {
  private final Path home;
  private final Clock clock;
  private final Map<String, String> environment = new HashMap<>();

  public record Result(int exitCode, String out, String err) {}

  public Shell(Path home, Clock clock) {
    this.home = home;
    this.clock = clock;
    environment.put("PENSTOCK_CTL_HOME", home.resolve("ctl").toString());
  }

  Shell set(String name, String value) {
    environment.put(name, value);
    return this;
  }

  Path sessionFile() {
    return home.resolve("ctl").resolve("session.json");
  }

  public Result ctl(String... args) {
    return ctlWithInput("", args);
  }

  Result ctlWithInput(String input, String... args) {
    return run(input, terminal -> Ctl.run(terminal, clock, args));
  }

  Result doctor(String... args) {
    return run("", terminal -> Doctor.run(terminal, clock, args));
  }

  Result login(FakeBroker broker, String... more) throws Exception {
    Path ca = home.resolve("ca.pem");
    Files.writeString(ca, broker.caPem());
    List<String> args =
        new ArrayList<>(
            List.of(
                "login",
                "--url",
                broker.url().toString(),
                "--ca",
                ca.toString(),
                "--user",
                "admin@example.com",
                "--password-stdin"));
    args.addAll(Arrays.asList(more));
    return ctlWithInput("correct horse\n", args.toArray(String[]::new));
  }

  private interface Command {
    int run(Terminal terminal);
  }

  private Result run(String input, Command command) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            environment);
    int exitCode = command.run(terminal);
    return new Result(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
