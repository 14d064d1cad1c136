package io.penstock.loadtest.fault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A Postgres of the machine that does not share the broker's fate. Root runs it as the user
/// `postgres`, because Postgres refuses root.
final class ExternalPostgres implements AutoCloseable {
  private static final Path INSTALLED = Path.of("/usr/lib/postgresql");
  private static final String PASSWORD = "for-this-test-only";

  private final Path programs;
  private final Path directory;
  private final int port = Processes.freePort();

  private ExternalPostgres(Path programs, Path directory) {
    this.programs = programs;
    this.directory = directory;
  }

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

  static ExternalPostgres start(Path programs) throws IOException {
    Path directory = Files.createTempDirectory("penstock-postgres-");
    var postgres = new ExternalPostgres(programs, directory);
    Path password = directory.resolve("password");
    Files.writeString(password, PASSWORD);
    if (isRoot()) {
      run(List.of("chown", "-R", "postgres", directory.toString()));
    } else {
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    }
    postgres.program(
        "initdb",
        "-D",
        postgres.data(),
        "-A",
        "scram-sha-256",
        "-U",
        "penstock",
        "--pwfile=" + password);
    postgres.program(
        "pg_ctl",
        "-D",
        postgres.data(),
        "-w",
        "-l",
        directory.resolve("log").toString(),
        "-o",
        "-p " + postgres.port + " -c listen_addresses=127.0.0.1 -k " + directory,
        "start");
    return postgres;
  }

  private String data() {
    return directory.resolve("data").toString();
  }

  /// Belongs into an environment variable, never into arguments.
  String url() {
    return "postgres://penstock:" + PASSWORD + "@127.0.0.1:" + port + "/postgres";
  }

  private void program(String name, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      command.addAll(List.of("runuser", "-u", "postgres", "--"));
    }
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
    program("pg_ctl", "-D", data(), "-w", "-m", "immediate", "stop");
    run(List.of("rm", "-rf", directory.toString()));
  }
}
