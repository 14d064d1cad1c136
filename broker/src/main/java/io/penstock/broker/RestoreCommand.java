package io.penstock.broker;

import io.penstock.broker.backup.BackupException;
import io.penstock.broker.backup.ContentReader;
import io.penstock.broker.backup.Restoration;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.ConfigException;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.DatabaseAddress;
import io.penstock.broker.store.EmbeddedPostgres;
import io.penstock.broker.store.Migrations;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `./penstock broker restore`, which is also `./penstock ctl restore`: on the machine of a broker
/// that does not run, because there is nothing yet that somebody could sign in to.
@Command(
    name = "restore",
    mixinStandardHelpOptions = true,
    description = {
      "Restores a backup into an empty broker, which must not run: an empty data directory and an"
          + " empty database. Start the broker afterwards.",
      "",
      "Nothing is written unless all of the file is whole. Agents that ran on serve again by"
          + " themselves; one that was restarted since the backup has to be enrolled again"
          + " (docs/backup.md)."
    },
    footer = {
      "",
      "Exit codes: 0 restored, 1 refused or failed, 2 wrong usage, 3 configuration invalid.",
      "Example: penstock ctl restore broker.backup --passphrase-file pass --data /var/lib/penstock"
    })
final class RestoreCommand implements Callable<Integer> {
  private static final int MAX_PASSPHRASE_BYTES = 32 * 1024;
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  @Parameters(paramLabel = "FILE", description = "What `penstock ctl backup` wrote.")
  private Path file = Path.of("");

  @Option(
      names = "--passphrase-file",
      paramLabel = "FILE",
      required = true,
      description = "Holds the backup's passphrase; - reads it from standard input.")
  private String passphraseFile = "";

  @Option(names = "--config", paramLabel = "FILE", description = "YAML file; see conf/broker.yaml.")
  private @Nullable Path config;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The empty data directory (default: .penstock/broker).")
  private @Nullable Path dataPath;

  @Option(
      names = "--database-url",
      paramLabel = "URL",
      description = "External Postgres, as for the broker; default: an embedded one.")
  private @Nullable String databaseUrl;

  private final PrintStream out = System.out;
  private final PrintStream err = System.err;

  @Override
  public Integer call() {
    try {
      BrokerConfig settings =
          BrokerConfig.load(Optional.ofNullable(config), System.getenv(), flags());
      byte[] passphrase = passphrase();
      try (DataDirectory data = DataDirectory.open(settings.data())) {
        restore(settings, data, passphrase);
        return 0;
      } finally {
        Arrays.fill(passphrase, (byte) 0);
      }
    } catch (ConfigException invalid) {
      invalid.problems().forEach(problem -> err.println("penstock restore: " + problem));
      return ConfigException.EXIT_CODE;
    } catch (BackupException refused) {
      err.println("penstock restore: " + refused.getMessage());
      return 1;
    } catch (IOException | UncheckedIOException unreadable) {
      err.println("penstock restore: " + unreadable.getMessage());
      return 1;
    }
  }

  private Map<String, String> flags() {
    var flags = new HashMap<String, String>();
    if (dataPath != null) {
      flags.put("data", dataPath.toString());
    }
    if (databaseUrl != null) {
      flags.put("database.url", databaseUrl);
    }
    return flags;
  }

  /// Line ends at the end do not count: editors add one.
  private byte[] passphrase() throws IOException {
    byte[] bytes;
    if (passphraseFile.equals("-")) {
      bytes = System.in.readNBytes(MAX_PASSPHRASE_BYTES);
    } else {
      try (InputStream in = Files.newInputStream(Path.of(passphraseFile))) {
        bytes = in.readNBytes(MAX_PASSPHRASE_BYTES);
      } catch (IOException e) {
        throw new IOException("cannot read " + passphraseFile, e);
      }
    }
    int length = bytes.length;
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
      length--;
    }
    byte[] passphrase = Arrays.copyOf(bytes, length);
    Arrays.fill(bytes, (byte) 0);
    return passphrase;
  }

  private void restore(BrokerConfig settings, DataDirectory data, byte[] passphrase) {
    var random = new SecureRandom();
    var restoration = new Restoration(file, passphrase, data, random, Clock.systemUTC());
    ContentReader.Contents contents = restoration.check();
    out.println(file + " is whole: " + contents.total() + " rows, made at " + contents.madeAt());
    MasterKey masterKey = MasterKey.load(settings.keys().masterKeyFile(), data, random);
    Optional<EmbeddedPostgres> embedded =
        settings.database().url().isPresent()
            ? Optional.empty()
            : Optional.of(EmbeddedPostgres.start(data, "penstock"));
    try {
      DatabaseAddress address =
          embedded
              .map(EmbeddedPostgres::address)
              .orElseGet(() -> DatabaseAddress.of(settings.database()));
      restore(restoration, address, masterKey);
    } finally {
      embedded.ifPresent(EmbeddedPostgres::close);
    }
  }

  private void restore(Restoration restoration, DatabaseAddress address, MasterKey masterKey) {
    Vertx vertx = Vertx.vertx(RunningBroker.vertxOptions());
    try (Database database = Database.connect(vertx, () -> address, 2, DEADLINE)) {
      if (!Migrations.areComplete(database)) {
        Migrations.run(address);
      }
      Restoration.Done done = restoration.into(database, masterKey);
      out.println(
          "restored "
              + done.contents().total()
              + " rows of "
              + done.contents().rows().size()
              + " tables; incarnation "
              + done.incarnation()
              + "; withdrawn enrollment tokens: "
              + done.withdrawn());
      out.println("Start the broker now; what to do next is in docs/backup.md.");
    } finally {
      vertx.close().toCompletionStage().toCompletableFuture().join();
    }
  }
}
