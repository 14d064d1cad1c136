package io.penstock.loadtest;

import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.report.HdrLogs;
import io.penstock.loadtest.report.HtmlReport;
import io.penstock.loadtest.report.JsonReport;
import io.penstock.loadtest.report.RunResult;
import io.penstock.loadtest.report.TextSummary;
import io.penstock.loadtest.scenario.Scenario;
import io.penstock.loadtest.scenario.Scenario.TargetName;
import io.penstock.loadtest.scenario.ScenarioException;
import io.penstock.loadtest.scenario.ScenarioReader;
import io.penstock.loadtest.scenario.ScenarioRun;
import io.penstock.loadtest.scenario.Storm;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// The load harness's command.
@Command(
    name = "penstock loadtest",
    subcommands = {LoadTestList.class, LoadTestCompare.class},
    description = {
      "Runs a load scenario and says what came of it: a summary, JSON, HDR logs and an HTML page.",
      "Without --broker or --target it starts a broker, an agent and an example ERP of its own."
    },
    footer = {
      "",
      "Examples:",
      "  penstock loadtest list",
      "  penstock loadtest steady --out runs/before",
      "  penstock loadtest steady --delay 80ms --jitter 5ms",
      "  penstock loadtest small-alone --target direct=http://127.0.0.1:8080 --turns 5",
      "  penstock loadtest compare runs/before runs/after",
      "",
      "Exit codes: 0 fine, 1 failed, INVALID or something grows, 2 wrong usage, 3 scenario"
          + " invalid,",
      "5 nothing was answered. docs/performance.md says how to read the figures."
    })
public final class LoadTest implements Callable<Integer> {
  private static final int FINE = 0;
  private static final int FAILED = 1;
  private static final int INVALID_SCENARIO = 3;
  private static final int CANNOT_REACH = 5;
  private static final int SECONDS_LIMIT = 86_400;

  private final PrintStream out;
  private final PrintStream err;

  @Spec @Nullable CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "SCENARIO",
      description = "One of `penstock loadtest list`, or a file that ends in .yaml.")
  String scenario = "";

  @Option(
      names = "--broker",
      paramLabel = "URL",
      description = "A broker that runs already; needs --system and --token-file.")
  @Nullable String broker;

  @Option(
      names = "--system",
      paramLabel = "SITE/SYSTEM",
      description = "What to invoke at that broker.")
  @Nullable String system;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "A service account's token; sent as `Authorization: Bearer` to every URL.")
  @Nullable Path tokenFile;

  @Option(
      names = "--target",
      paramLabel = "NAME=URL",
      description =
          "Any URL instead of the scenario's targets. May be given several times: they take turns.")
  Map<String, String> targets = new LinkedHashMap<>();

  @Option(names = "--ca", paramLabel = "FILE", description = "The CA of --broker and --target.")
  @Nullable Path caFile;

  @Option(
      names = "--insecure",
      description = "Take any certificate of a --target; for peers on loopback.")
  boolean insecure;

  @Option(
      names = "--watch",
      paramLabel = "NAME=PID",
      description = "Also record CPU and memory of this process.")
  Map<String, Long> watched = new LinkedHashMap<>();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where results go (default .penstock/loadtest/SCENARIO-TIME).")
  @Nullable Path outDirectory;

  @Option(names = "--warmup", paramLabel = "SECONDS", description = "Instead of the scenario's.")
  @Nullable Double warmup;

  @Option(
      names = "--duration",
      paramLabel = "SECONDS",
      description = "Of one turn, instead of the scenario's.")
  @Nullable Double duration;

  @Option(names = "--turns", paramLabel = "N", description = "Instead of the scenario's.")
  @Nullable Integer turns;

  @Option(
      names = "--agents",
      paramLabel = "N",
      description = "Simulated agents of the scenario's fleet or storm, instead of the scenario's.")
  @Nullable Integer agents;

  @Mixin NetworkOptions network = new NetworkOptions();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;

  LoadTest(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  public static void main(String[] args) {
    System.exit(run(System.out, System.err, args));
  }

  static int run(PrintStream out, PrintStream err, String... args) {
    CommandLine line =
        new CommandLine(
            new LoadTest(out, err),
            new CommandLine.IFactory() {
              @Override
              public <K> K create(Class<K> type) throws Exception {
                if (type == LoadTestList.class) {
                  return type.cast(new LoadTestList(out));
                }
                if (type == LoadTestCompare.class) {
                  return type.cast(new LoadTestCompare(out, err));
                }
                return CommandLine.defaultFactory().create(type);
              }
            });
    line.setUsageHelpWidth(110);
    line.setOut(new java.io.PrintWriter(out, true, StandardCharsets.UTF_8));
    line.setErr(new java.io.PrintWriter(err, true, StandardCharsets.UTF_8));
    if (args.length == 0) {
      line.usage(line.getOut());
      return FINE;
    }
    return line.execute(args);
  }

  static Path scenarios() {
    return Home.find().root().resolve("loadtest").resolve("scenarios");
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    try {
      Scenario chosen = chosen();
      RunResult result = carryOut(chosen);
      report(result, directory(chosen.name()));
      if (!result.anythingAnswered()) {
        err.println("penstock loadtest: nothing was answered");
        return CANNOT_REACH;
      }
      boolean fine =
          result.invalid().isEmpty()
              && result.failures().isEmpty()
              && result.growing().isEmpty()
              && result.unknown().isEmpty();
      return fine ? FINE : FAILED;
    } catch (ScenarioException e) {
      err.println("penstock loadtest: " + e.getMessage());
      return INVALID_SCENARIO;
    } catch (IOException e) {
      err.println("penstock loadtest: " + e.getMessage());
      return FAILED;
    }
  }

  private Scenario chosen() throws IOException, ScenarioException {
    if (scenario.isEmpty()) {
      throw wrongUsage("SCENARIO: expected one of `penstock loadtest list`, found none");
    }
    Scenario read =
        new ScenarioReader(scenarios())
            .read(scenario)
            .with(
                Optional.ofNullable(warmup).map(value -> seconds("--warmup", value, 0)),
                Optional.ofNullable(duration).map(value -> seconds("--duration", value, 0.1)),
                Optional.ofNullable(turns).map(this::turns));
    if (agents != null) {
      read = withAgents(read, agents);
    }
    List<TargetName> others = others();
    if (!others.isEmpty() && read.hasAgents()) {
      throw wrongUsage(
          "--target, --broker: expected none, as "
              + scenario
              + " has simulated agents of a broker of its own");
    }
    return over(others.isEmpty() ? read : read.at(others));
  }

  private Scenario withAgents(Scenario read, int count) {
    if (count < 1 || count > Storm.MAX_AGENTS) {
      throw wrongUsage("--agents: expected 1 to " + Storm.MAX_AGENTS + ", found " + count);
    }
    return read.withAgents(count)
        .orElseThrow(
            () ->
                wrongUsage(
                    "--agents: expected a scenario with a fleet or a storm, found " + scenario));
  }

  private Scenario over(Scenario read) {
    Optional<Network> line;
    try {
      line = network.read();
    } catch (IllegalArgumentException e) {
      throw wrongUsage(String.valueOf(e.getMessage()));
    }
    if (line.isEmpty()) {
      return read;
    }
    if (!read.needsInstallation()) {
      throw wrongUsage(
          "--delay and the like: expected a run that starts its own broker and agents, found"
              + " --broker or --target");
    }
    if (read.hasLines()) {
      throw wrongUsage(
          "--delay and the like: expected a scenario without a network of its own, found "
              + scenario);
    }
    return read.over(line.get());
  }

  private List<TargetName> others() {
    List<TargetName> others = new ArrayList<>();
    String ca = caFile == null ? "" : caFile.toString();
    if (broker != null) {
      if (system == null || tokenFile == null || !system.matches("[^/]+/[^/]+")) {
        throw wrongUsage("--broker: expected --system SITE/SYSTEM and --token-file FILE with it");
      }
      others.add(
          new TargetName.Url(
              "penstock", broker.replaceAll("/$", "") + "/invoke/" + system, ca, false));
    }
    targets.forEach((name, url) -> others.add(new TargetName.Url(name, url, ca, insecure)));
    return others;
  }

  private Duration seconds(String option, double value, double least) {
    if (!(value >= least) || value > SECONDS_LIMIT) {
      throw wrongUsage(
          option + ": expected " + least + " to " + SECONDS_LIMIT + " seconds, found " + value);
    }
    return Duration.ofNanos(Math.round(value * 1e9));
  }

  private int turns(int value) {
    if (value < 1 || value > 100) {
      throw wrongUsage("--turns: expected 1 to 100, found " + value);
    }
    return value;
  }

  private ParameterException wrongUsage(String message) {
    if (spec == null) {
      throw new IllegalStateException(message);
    }
    return new ParameterException(spec.commandLine(), message);
  }

  private RunResult carryOut(Scenario chosen)
      throws IOException, InterruptedException, ScenarioException {
    out.println("scenario " + chosen.name() + ": " + chosen.description());
    Home home = Home.find();
    try (ScenarioRun run =
        new ScenarioRun(chosen, home, commit(home), fields(), watched, out::println)) {
      Thread onSignal = new Thread(() -> end(run), "loadtest-end");
      Runtime.getRuntime().addShutdownHook(onSignal);
      RunResult result = run.run();
      Runtime.getRuntime().removeShutdownHook(onSignal);
      return result;
    }
  }

  private void end(ScenarioRun run) {
    try {
      run.close();
    } catch (IOException e) {
      err.println("penstock loadtest: cannot clean up: " + e.getMessage());
    }
  }

  private Map<String, String> fields() throws IOException {
    return tokenFile == null
        ? Map.of()
        : Map.of("Authorization", "Bearer " + Files.readString(tokenFile).strip());
  }

  private static String commit(Home home) throws InterruptedException {
    try {
      Process git =
          new ProcessBuilder("git", "-C", home.root().toString(), "describe", "--always", "--dirty")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String said = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return git.waitFor() == 0 && !said.isEmpty() ? said : "unknown";
    } catch (IOException noGit) {
      return "unknown";
    }
  }

  private Path directory(String name) throws IOException {
    Path directory =
        outDirectory == null
            ? Path.of(
                ".penstock",
                "loadtest",
                name
                    + "-"
                    + LocalDateTime.now(java.time.ZoneId.systemDefault())
                        .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss")))
            : outDirectory;
    return Files.createDirectories(directory);
  }

  private void report(RunResult result, Path directory) throws IOException {
    String summary = TextSummary.of(result);
    var json = JsonReport.of(result);
    Files.writeString(directory.resolve("summary.txt"), summary);
    Files.writeString(directory.resolve("result.json"), json.toPrettyString() + "\n");
    HdrLogs.write(result, directory);
    Files.writeString(directory.resolve("report.html"), HtmlReport.of(result, json));
    out.println();
    out.print(summary);
    out.println("results in " + directory);
  }
}
