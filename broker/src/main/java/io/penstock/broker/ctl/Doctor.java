package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Looks at everything between this machine and a working broker, stage by stage, and names the
/// stage that fails.
@Command(
    name = "penstock doctor",
    description =
        "Checks JDK, data directory, port, database, TLS, clock, and the way to a broker.",
    footer = {
      "",
      "Examples:",
      "  penstock doctor",
      "  penstock doctor --config conf/broker.yaml --data data          (before starting a broker)",
      "  penstock doctor --url https://broker.example.com:8443 --ca ca.pem   (on an agent's"
          + " machine)",
      "",
      "Exit code 1 if a stage fails; warnings do not count."
    })
public final class Doctor implements Callable<Integer> {
  private final Terminal terminal;
  private final Clock clock;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A broker's configuration; its port, data directory and database are checked.")
  @Nullable Path config;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The data directory of a broker or agent.")
  @Nullable Path data;

  @Option(names = "--port", paramLabel = "PORT", description = "The broker's port (default 8443).")
  @Nullable Integer port;

  @Option(
      names = "--database-url",
      paramLabel = "URL",
      description =
          "An external Postgres, without the password: that belongs into the configuration or its"
              + " password_file.")
  @Nullable String databaseUrl;

  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "A broker to reach, https://HOST[:PORT].")
  @Nullable String url;

  @Option(names = "--ca", paramLabel = "FILE", description = "The CA of that broker.")
  @Nullable Path ca;

  @Option(names = "--json", description = "Print one JSON object.")
  boolean json;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  Doctor(Terminal terminal, Clock clock) {
    this.terminal = terminal;
    this.clock = clock;
  }

  public static void main(String[] args) {
    System.exit(run(Terminal.ofProcess(), Clock.systemUTC(), args));
  }

  static int run(Terminal terminal, Clock clock, String... args) {
    Doctor doctor = new Doctor(terminal, clock);
    return new CommandLine(doctor)
        .setUsageHelpWidth(110)
        .setExpandAtFiles(false)
        .setOut(new PrintWriter(terminal.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8))
        .setExecutionExceptionHandler((e, _, _) -> doctor.failed(e))
        .execute(args);
  }

  @Override
  public Integer call() {
    List<Finding> findings = new ArrayList<>();
    findings.add(MachineCheck.jdk(Runtime.version(), System.getProperty("java.home")));
    if (System.getProperty("penstock.home") != null) {
      findings.add(
          MachineCheck.startCache(
              Boolean.getBoolean("penstock.start-cache"),
              Path.of(System.getProperty("java.class.path"))));
    }
    findings.addAll(broker(BrokerSettings.read(Optional.ofNullable(config), terminal)));
    print(findings);
    return findings.stream().anyMatch(Finding::failed) ? ExitCode.FAILED : ExitCode.FINE;
  }

  private List<Finding> broker(BrokerSettings settings) {
    List<Finding> findings = new ArrayList<>();
    Optional<Path> directory = Optional.ofNullable(data).or(settings::data);
    directory.map(MachineCheck::dataDirectory).ifPresent(findings::addAll);
    int wantedPort = port != null ? port : settings.port();
    Optional<String> caPem = trusted(directory);
    boolean running = false;
    if (url == null) {
      running = MachineCheck.brokerAnswers(wantedPort, caPem, clock);
      findings.add(MachineCheck.port(wantedPort, running));
    }
    Optional.ofNullable(databaseUrl)
        .or(settings::databaseUrl)
        .map(address -> DatabaseCheck.look(address, settings.databasePasswordFile()))
        .ifPresent(findings::addAll);
    if (url != null) {
      findings.addAll(new BrokerCheck(BrokerUrl.parse(url), caPem, clock).look());
    } else if (running) {
      URI local = URI.create("https://localhost:" + wantedPort);
      findings.addAll(new BrokerCheck(local, caPem, clock).look());
    }
    return findings;
  }

  /// The CA given, else the one a development broker leaves in its data directory.
  private Optional<String> trusted(Optional<Path> directory) {
    if (ca != null) {
      return Optional.of(Trust.readPem(ca));
    }
    return directory
        .map(path -> path.resolve("ca.pem"))
        .filter(Files::isReadable)
        .map(Trust::readPem);
  }

  private void print(List<Finding> findings) {
    Optional<Finding> failed = findings.stream().filter(Finding::failed).findFirst();
    if (json) {
      ObjectNode result = Json.object().put("ok", failed.isEmpty());
      failed.ifPresent(finding -> result.put("failed_stage", finding.stage()));
      var stages = result.putArray("stages");
      findings.forEach(finding -> stages.add(finding.toJson()));
      terminal.out().println(Json.pretty(result));
      return;
    }
    findings.forEach(finding -> terminal.out().println(finding.line()));
    terminal
        .out()
        .println(
            failed.map(finding -> "failed at: " + finding.stage()).orElse("all stages passed"));
  }

  private int failed(Exception e) throws Exception {
    if (e instanceof Failure failure) {
      terminal.err().println("penstock doctor: " + failure.getMessage());
      return failure.exitCode();
    }
    throw e;
  }
}
