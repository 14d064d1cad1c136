package io.penstock.agent;

import io.penstock.agent.link.Loop;
import io.penstock.agent.plugin.CallMeters;
import io.penstock.agent.plugin.CallObserver;
import io.penstock.agent.plugin.SettingsException;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.agent.plugin.http.HttpPlugin;
import io.penstock.agent.trace.CallSpans;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// `penstock agent`: the command line and its exit codes.
@Command(
    name = "agent",
    mixinStandardHelpOptions = true,
    version = "penstock agent " + AgentVersion.TEXT,
    sortOptions = false,
    description = {
      "Runs an agent: dials its broker, enrolls with a token if it has no identity yet, and serves"
          + " on-premise systems.",
      "The enrollment token comes from a file, standard input or PENSTOCK_ENROLLMENT_TOKEN, never"
          + " from the arguments."
    },
    footer = {
      "",
      "Exit codes: 0 stopped and drained, 1 failed, 2 wrong usage, 3 configuration invalid,",
      "4 refused for good (revoked, token denied, unknown agent)."
    })
final class Agent implements Callable<Integer> {
  private static final String TOKEN_PREFIX = "pen1.";

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "agent.yaml; every key can also be given as PENSTOCK_SECTION_KEY.")
  private @Nullable Path config;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Directory of the identity, 0700 (default: .penstock/agent).")
  private @Nullable Path data;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "File that holds the enrollment token.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--token-stdin",
      description = "Read the enrollment token from standard input, even if that is a terminal.")
  private boolean tokenStdin;

  private Agent() {}

  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  static int run(String... arguments) {
    if (Arrays.stream(arguments).anyMatch(it -> it.contains(TOKEN_PREFIX))) {
      System.err.println(
          "agent: an enrollment token in the arguments is refused: every user of this machine can"
              + " read arguments.\nGive it by --token-file FILE, on standard input, or as"
              + " PENSTOCK_ENROLLMENT_TOKEN, and have this one revoked: it has been seen.");
      return ExitCode.USAGE;
    }
    return new CommandLine(new Agent())
        .setParameterExceptionHandler(Agent::wrongUsage)
        .execute(arguments);
  }

  /// Says what is wrong without repeating the arguments: one may be a mistyped secret.
  private static int wrongUsage(ParameterException wrong, String[] arguments) {
    PrintStream err = System.err;
    err.println(
        "agent: "
            + (wrong instanceof MissingParameterException
                ? wrong.getMessage()
                : "unknown option or argument"));
    wrong.getCommandLine().usage(err);
    return ExitCode.USAGE;
  }

  @Override
  public Integer call() {
    try (var loop = Loop.start()) {
      ConfigReader in = ConfigReader.of(Optional.ofNullable(config), System.getenv());
      AgentConfig read = AgentConfig.read(in);
      Optional<CallSpans> spans =
          read.otlpEndpoint().map(to -> CallSpans.exportingTo(to, AgentProcess.instance(read)));
      var calls = new CallMeters();
      var http = new HttpPlugin(spans.<CallObserver>map(it -> it).orElse(CallObserver.NONE), calls);
      Optional<SystemCatalog> catalog = catalog(read, loop, in, http);
      in.finish();
      return new AgentProcess(
              read,
              Optional.ofNullable(data).orElse(read.data()),
              new TokenSources(
                  Optional.ofNullable(tokenFile).or(read::tokenFile),
                  tokenStdin,
                  System.getenv(),
                  System.in),
              loop,
              catalog.orElseThrow(),
              spans,
              calls)
          .run();
    } catch (ConfigException invalid) {
      invalid.problems().forEach(problem -> System.err.println("agent: " + problem));
      return ExitCode.CONFIGURATION;
    }
  }

  /// Makes the systems callable; nothing is contacted yet.
  private static Optional<SystemCatalog> catalog(
      AgentConfig read, Loop loop, ConfigReader in, HttpPlugin http) {
    try {
      return Optional.of(
          new SystemCatalog(
              read.systems(), read.ceiling(), loop.eventLoop(), loop.channelType(), List.of(http)));
    } catch (SettingsException invalid) {
      invalid.problems().forEach(problem -> in.problem("systems: " + problem));
      return Optional.empty();
    }
  }
}
