package io.penstock.broker;

import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.ConfigException;
import io.penstock.broker.front.ServerTls;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `./penstock broker`.
@Command(
    name = "penstock broker",
    mixinStandardHelpOptions = true,
    subcommands = RestoreCommand.class,
    description = {
      "Runs a broker: agents dial in, cloud services invoke, operators use the API.",
      "",
      "Settings come from the file, then from PENSTOCK_SECTION_KEY variables, then from the"
          + " options. The first start on an empty database prints one JSON line with the first"
          + " Admin's password."
    },
    footer = {
      "",
      "Exit codes: 0 stopped by SIGTERM after draining, 1 failed, 2 wrong usage, 3 configuration"
          + " invalid.",
      "Example: penstock broker --data /var/lib/penstock --port 8443"
    })
public final class Broker implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(Broker.class);

  @Option(names = "--config", paramLabel = "FILE", description = "YAML file; see conf/broker.yaml.")
  private @Nullable Path config;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Directory that holds all state (default: .penstock/broker).")
  private @Nullable Path data;

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "The public port (default: 8443); 0 = a free one.")
  private @Nullable Integer port;

  @Option(
      names = "--database-url",
      paramLabel = "URL",
      description =
          "External Postgres without a password in it (that belongs into database.password_file or"
              + " PENSTOCK_DATABASE_URL); default: an embedded one under the data directory.")
  private @Nullable String databaseUrl;

  private final PrintStream out = System.out;

  public static void main(String[] arguments) {
    // BoringSSL's library takes a while to load; whoever needs it waits for what is left of that.
    var _ = Ahead.of("boringssl", ServerTls::isBoringSsl);
    int exitCode = new CommandLine(new Broker()).execute(arguments);
    if (exitCode != 0) {
      // What a failed start has left running must not hold the process.
      Runtime.getRuntime().halt(exitCode);
    }
  }

  @Override
  public Integer call() {
    try {
      return run();
    } catch (ConfigException invalid) {
      invalid.problems().forEach(problem -> LOG.error("configuration: {}", problem));
      return ConfigException.EXIT_CODE;
    } catch (IOException | RuntimeException failure) {
      LOG.error("the broker could not start", failure);
      return 1;
    }
  }

  private int run() throws IOException {
    BrokerConfig settings =
        BrokerConfig.load(Optional.ofNullable(config), System.getenv(), flags());
    RunningBroker running = RunningBroker.start(settings, out);
    // SIGTERM: drain, then end with 0, whatever else still runs.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  running.drainAndStop();
                  Runtime.getRuntime().halt(0);
                },
                "drain"));
    awaitForever();
    return 0;
  }

  private Map<String, String> flags() throws IOException {
    var flags = new HashMap<String, String>();
    if (data != null) {
      flags.put("data", data.toString());
    }
    if (port != null) {
      flags.put("listen.port", Integer.toString(port == 0 ? freePort() : port));
    }
    if (databaseUrl != null) {
      flags.put("database.url", databaseUrl);
    }
    return flags;
  }

  /// Known before anything starts, because enrollment tokens name the port.
  private static int freePort() throws IOException {
    try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  private static void awaitForever() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
