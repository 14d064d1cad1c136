package io.penstock.broker.store;

import io.penstock.broker.config.DataDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A Postgres of our own under `DATA/postgres`: loopback only, SCRAM with a random password kept
/// beside it, every commit synced to disk.
///
/// The server does not die with the broker, so a start finds one of three things on its directory:
/// nothing, a living server (adopted if it answers our password, else stopped), or what a killed
/// one left (recovered by Postgres itself). A server that dies while the broker runs is started
/// again. Threads: [#start] and [#close] block; the watch runs on one virtual thread.
public final class EmbeddedPostgres implements AutoCloseable {
  static final String USER = "penstock";
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);
  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final Duration RETRY_PAUSE = Duration.ofMillis(200);
  private static final Duration WATCH_PAUSE = Duration.ofMillis(250);
  private static final Duration MOST_RETRY_PAUSE = Duration.ofSeconds(5);
  private static final int PASSWORD_BYTES = 24;

  private final Path home;
  private final Path cluster;
  private final Path programs;
  private final ServerAccount account;
  private final String password;
  private final String database;
  private volatile int port;
  private volatile boolean closing;
  private volatile Runnable restarted = () -> {};

  private EmbeddedPostgres(Path home, String database, ServerAccount account) throws IOException {
    this.home = home;
    this.cluster = home.resolve("data");
    this.programs = PostgresBinaries.unpackedIn(home).resolve("bin");
    this.account = account;
    this.password = readOrCreatePassword(home.resolve("password"));
    this.database = database;
  }

  /// Starts or adopts the server of this data directory and makes sure that `database` exists.
  /// Returns when it accepts connections.
  public static EmbeddedPostgres start(DataDirectory data, String database) {
    try {
      return start(data, database, ServerAccount.ofThisProcess());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while Postgres started", e);
    }
  }

  static EmbeddedPostgres start(DataDirectory data, String database, ServerAccount account)
      throws IOException, InterruptedException {
    Path home = data.resolve("postgres");
    DataDirectory.createPrivate(home);
    var postgres = new EmbeddedPostgres(home, database, account);
    postgres.initialise();
    postgres.adoptOrRun();
    postgres.createDatabase();
    Thread.ofVirtual().name("postgres-watch").start(postgres::watch);
    return postgres;
  }

  /// Where it listens now; after a restart the port may be another one.
  public DatabaseAddress address() {
    return DatabaseAddress.local(port, database, USER, password);
  }

  private static String readOrCreatePassword(Path file) throws IOException {
    if (!Files.exists(file)) {
      byte[] random = new byte[PASSWORD_BYTES];
      new SecureRandom().nextBytes(random);
      String created = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
      DataDirectory.writePrivate(file, created.getBytes(StandardCharsets.US_ASCII));
    }
    return Files.readString(file).strip();
  }

  /// Makes the cluster beside and renames it: one that was interrupted is made anew, never used.
  private void initialise() throws IOException, InterruptedException {
    if (Files.exists(cluster)) {
      return;
    }
    Path beside = cluster.resolveSibling("data.new");
    PostgresBinaries.deleteTree(beside);
    DataDirectory.createPrivate(beside);
    account.own(beside);
    // The password travels in a file: arguments are readable by everyone on the machine.
    run(
        "initdb",
        List.of(
            programs.resolve("initdb").toString(),
            "--pgdata=" + beside,
            "--username=" + USER,
            "--auth=scram-sha-256",
            "--pwfile=" + home.resolve("password"),
            "--encoding=UTF8",
            "--locale=C"));
    Files.move(beside, cluster);
  }

  private void adoptOrRun() throws IOException, InterruptedException {
    Optional<Postmaster> living = Postmaster.livingOn(cluster);
    if (living.isPresent() && adopt(living.get())) {
      return;
    }
    if (living.isPresent()) {
      stop();
    }
    runWithRetries();
  }

  private boolean adopt(Postmaster server) {
    if (!server.ready() || !server.runs(programs) || !answers(server.port())) {
      LOG.info(
          "stopping the Postgres (pid {}) found on {}: it does not answer as ours",
          server.process().pid(),
          cluster);
      return false;
    }
    port = server.port();
    LOG.info("adopted the Postgres (pid {}) found running on {}", server.process().pid(), cluster);
    return true;
  }

  /// Proves both ways: SCRAM shows the server our password's proof, and us the server's.
  private boolean answers(int candidatePort) {
    try (Connection connection =
        connect(DatabaseAddress.local(candidatePort, "postgres", USER, password))) {
      return connection.isValid(5);
    } catch (SQLException e) {
      LOG.debug("the server found on {} does not let us in: {}", cluster, e.getMessage());
      return false;
    }
  }

  private static Connection connect(DatabaseAddress address) throws SQLException {
    return DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
  }

  /// A killed server's children need a moment to notice and let go of the shared memory; a port may
  /// have been taken meanwhile.
  private void runWithRetries() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (true) {
      try {
        runServer();
        return;
      } catch (IOException e) {
        if (closing || System.nanoTime() > deadline) {
          throw e;
        }
        LOG.debug("Postgres did not start, trying again: {}", e.getMessage());
        Thread.sleep(RETRY_PAUSE);
      }
    }
  }

  private void runServer() throws IOException, InterruptedException {
    account.own(cluster);
    forgetStrangersPid();
    int candidate = freePort();
    Files.writeString(cluster.resolve("postgresql.conf"), serverSettings(candidate));
    run(
        "pg_ctl start",
        List.of(
            programs.resolve("pg_ctl").toString(),
            "start",
            "--pgdata=" + cluster,
            "--wait",
            "--timeout=" + START_LIMIT.toSeconds(),
            "--log=" + cluster.resolve("start.log")));
    DataDirectory.writePrivate(
        home.resolve("port"), Integer.toString(candidate).getBytes(StandardCharsets.US_ASCII));
    port = candidate;
  }

  /// Postgres refuses to start when the number in an old pid file belongs to any living process.
  private void forgetStrangersPid() throws IOException {
    if (Postmaster.livingOn(cluster).isEmpty()) {
      Files.deleteIfExists(cluster.resolve(Postmaster.FILE));
    }
  }

  private int freePort() throws IOException {
    Path file = home.resolve("port");
    if (Files.exists(file)) {
      int last = Integer.parseInt(Files.readString(file).strip());
      if (isFree(last)) {
        return last;
      }
    }
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean isFree(int port) {
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static String serverSettings(int port) {
    return """
    # Written by Penstock at every start.
    listen_addresses = '127.0.0.1'
    port = %d
    unix_socket_directories = ''
    password_encryption = scram-sha-256
    max_connections = 120
    shared_buffers = 64MB
    fsync = on
    synchronous_commit = on
    full_page_writes = on
    timezone = 'UTC'
    datestyle = 'iso, ymd'
    lc_messages = 'C'
    logging_collector = on
    log_directory = 'log'
    log_filename = 'postgres-%%a.log'
    log_file_mode = 0600
    log_rotation_age = 1d
    log_rotation_size = 20MB
    log_truncate_on_rotation = on
    log_min_messages = warning
    # Statements may carry wrapped keys and addresses: never in a log.
    log_statement = 'none'
    log_min_error_statement = panic
    log_parameter_max_length_on_error = 0
    """
        .formatted(port);
  }

  private void createDatabase() throws IOException {
    try (Connection connection = connect(address().withDatabase("postgres"));
        var find = connection.prepareStatement("select 1 from pg_database where datname = ?")) {
      find.setString(1, database);
      try (var found = find.executeQuery()) {
        if (found.next()) {
          return;
        }
      }
      try (var create = connection.createStatement()) {
        create.execute("create database \"" + database.replace("\"", "\"\"") + "\"");
      }
    } catch (SQLException e) {
      throw new IOException("cannot create the database " + database, e);
    }
  }

  /// Starts the server again whenever it ends without being told to. Looks instead of waiting for
  /// the process: where nobody reaps orphans, a dead one stays a process for ever.
  private void watch() {
    Duration pause = RETRY_PAUSE;
    try {
      while (!closing) {
        boolean lives = Postmaster.livingOn(cluster).isPresent();
        pause = lives ? RETRY_PAUSE : restart(pause);
        Thread.sleep(WATCH_PAUSE);
      }
    } catch (IOException e) {
      LOG.error("no longer watching Postgres: {}", e.toString());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private Duration restart(Duration pause) throws InterruptedException {
    try {
      synchronized (this) {
        if (closing) {
          return pause;
        }
        LOG.warn("Postgres ended unexpectedly: starting it again");
        runServer();
      }
      restarted.run();
      return RETRY_PAUSE;
    } catch (IOException e) {
      LOG.warn("Postgres does not start: {}", e.getMessage());
      Thread.sleep(pause);
      return pause.multipliedBy(2).compareTo(MOST_RETRY_PAUSE) > 0
          ? MOST_RETRY_PAUSE
          : pause.multipliedBy(2);
    }
  }

  /// Called after each start that followed an unexpected end; the port may be another one now.
  void onRestart(Runnable listener) {
    restarted = listener;
  }

  /// What a killed broker does: nothing more. Tests leave a server behind with it.
  void abandon() {
    closing = true;
  }

  /// Ends the server with running transactions rolled back and everything committed on disk.
  @Override
  public void close() {
    closing = true;
    try {
      synchronized (this) {
        stop();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void stop() throws IOException, InterruptedException {
    for (String mode : List.of("fast", "immediate")) {
      Optional<Postmaster> living = Postmaster.livingOn(cluster);
      if (living.isEmpty()) {
        return;
      }
      try {
        run(
            "pg_ctl stop",
            List.of(
                programs.resolve("pg_ctl").toString(),
                "stop",
                "--pgdata=" + cluster,
                "--mode=" + mode,
                "--wait",
                "--timeout=20"));
      } catch (IOException e) {
        LOG.warn("Postgres does not stop ({}): {}", mode, e.getMessage());
      }
    }
    Postmaster.livingOn(cluster).ifPresent(server -> server.process().destroyForcibly());
  }

  private void run(String name, List<String> command) throws IOException, InterruptedException {
    Path output = home.resolve("output.log");
    DataDirectory.writePrivate(output, new byte[0]);
    Process process =
        new ProcessBuilder(account.command(command))
            .directory(home.toFile())
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(START_LIMIT.toSeconds() + 10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(name + " did not end in time");
    }
    if (process.exitValue() != 0) {
      throw new IOException(name + " failed: " + lastLines(output));
    }
  }

  private String lastLines(Path output) throws IOException {
    var text = new StringBuilder(tail(output));
    Path startLog = cluster.resolve("start.log");
    if (Files.exists(startLog)) {
      text.append(" / ").append(tail(startLog));
    }
    return text.toString().replace('\n', ' ');
  }

  private static String tail(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
  }
}
