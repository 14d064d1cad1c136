package io.penstock.loadtest.fault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A Postgres that does not share the broker's fate, and can be killed on its own. Postgres refuses
/// root, which therefore runs it in a user namespace of its own or, where there are none, as the
/// user `postgres`.
final class ExternalPostgres implements AutoCloseable {
  private static final Path INSTALLED = Path.of("/usr/lib/postgresql");
  private static final String PASSWORD = "for-this-test-only";
  private static final Duration STARTS_WITHIN = Duration.ofSeconds(60);

  private final Path programs;
  private final Path directory;
  private final List<String> account;
  private final String settings;
  private final int port = Processes.freePort();

  private ExternalPostgres(Path programs, Path directory, List<String> account, String settings) {
    this.programs = programs;
    this.directory = directory;
    this.account = account;
    this.settings = settings;
  }

  /// The programs of the machine.
  static Optional<Path> installed() throws IOException {
    if (!Files.isDirectory(INSTALLED)) {
      return Optional.empty();
    }
    try (Stream<Path> versions = Files.list(INSTALLED)) {
      return versions
          .map(version -> version.resolve("bin"))
          .filter(programs -> Files.isExecutable(programs.resolve("initdb")))
          .max(Comparator.naturalOrder());
    }
  }

  /// The programs that the broker brings along, which every machine has.
  static Path broughtAlong() throws IOException {
    return PostgresPrograms.unpacked().resolve("bin");
  }

  /// As `docs/operating.md` advises.
  static ExternalPostgres tuned(Path programs) throws IOException {
    return start(programs, "-c shared_buffers=512MB -c wal_compression=on -c max_wal_size=4GB");
  }

  static ExternalPostgres start(Path programs) throws IOException {
    return start(programs, "");
  }

  private static ExternalPostgres start(Path programs, String settings) throws IOException {
    Path directory = Files.createTempDirectory("penstock-postgres-");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    var postgres = new ExternalPostgres(programs, directory, account(directory), settings);
    Path password = directory.resolve("password");
    Files.writeString(password, PASSWORD);
    postgres.own();
    postgres.program(
        "initdb",
        "-D",
        postgres.data().toString(),
        "-A",
        "scram-sha-256",
        "-U",
        "penstock",
        "--pwfile=" + password);
    postgres.run();
    return postgres;
  }

  private static List<String> account(Path directory) throws IOException {
    if (!isRoot()) {
      return List.of();
    }
    List<String> namespace = List.of("unshare", "--user");
    try {
      run(Stream.concat(namespace.stream(), Stream.of("ls", directory.toString())).toList());
      return namespace;
    } catch (IOException forbidden) {
      return List.of("runuser", "-u", "postgres", "--");
    }
  }

  private void own() throws IOException {
    if (account.contains("runuser")) {
      run(List.of("chown", "-R", "postgres", directory.toString()));
    }
  }

  private void run() throws IOException {
    program(
        "pg_ctl",
        "-D",
        data().toString(),
        "-w",
        "-l",
        directory.resolve("log").toString(),
        "-o",
        "-p " + port + " -c listen_addresses=127.0.0.1 -k " + directory + " " + settings,
        "start");
  }

  /// SIGKILL for the server and all of its processes.
  void kill() throws IOException {
    Path file = data().resolve("postmaster.pid");
    long pid = Long.parseLong(Files.readAllLines(file).getFirst().strip());
    ProcessHandle server =
        ProcessHandle.of(pid).orElseThrow(() -> new IOException("no Postgres with pid " + pid));
    List<ProcessHandle> all = Stream.concat(Stream.of(server), server.descendants()).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    // Where nobody reaps orphans its number lives on, and a start would believe the file.
    Files.delete(file);
  }

  /// Starts it again, on what the killed one left; its processes need a moment to let go.
  void restart() throws IOException {
    long end = System.nanoTime() + STARTS_WITHIN.toNanos();
    while (true) {
      try {
        run();
        return;
      } catch (IOException notYet) {
        if (System.nanoTime() > end) {
          throw notYet;
        }
        Files.deleteIfExists(data().resolve("postmaster.pid"));
      }
    }
  }

  private Path data() {
    return directory.resolve("data");
  }

  /// Belongs into an environment variable, never into arguments.
  String jdbcUrl() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=penstock&password=" + PASSWORD;
  }

  String url() {
    return "postgres://penstock:" + PASSWORD + "@127.0.0.1:" + port + "/postgres";
  }

  private void program(String name, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(account);
    command.add(programs.resolve(name).toString());
    command.addAll(List.of(arguments));
    run(command);
  }

  private static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  /// The output goes to a file: a server that was started keeps the descriptor open.
  private static void run(List<String> command) throws IOException {
    Path output = Files.createTempFile("penstock-postgres-", ".out");
    Process process =
        new ProcessBuilder(command)
            .directory(Path.of("/").toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int exitCode = exitCode(process);
    String said = Files.readString(output, StandardCharsets.UTF_8);
    Files.delete(output);
    if (exitCode != 0) {
      throw new IOException(command + " ended with " + exitCode + ": " + said);
    }
  }

  private static int exitCode(Process process) throws IOException {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void close() throws IOException {
    program("pg_ctl", "-D", data().toString(), "-w", "-m", "immediate", "stop");
    run(List.of("rm", "-rf", directory.toString()));
  }
}
