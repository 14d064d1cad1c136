package io.penstock.loadtest.fault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The ahead-of-time cache of a program (JEP 483, 514, 515), beside its jar: classes read and
/// linked, and what a training run learnt of its methods, so that a start skips that work.
///
/// The JVM takes a cache only if the same JDK made it of the same jars; any other is as if there
/// were none, without a word. So it is never deleted, and replaced whole while programs use it.
public record StartCache(Home home, String module) {
  /// Of a cache that does not fit the JVM would complain on standard output. A test compares them
  /// with the launcher's.
  static final List<String> QUIET = List.of("-Xlog:aot=off", "-Xlog:cds=off");

  private static final Duration MADE_WITHIN = Duration.ofSeconds(90);

  /// Of all programs that have one.
  public static List<StartCache> all(Home home) {
    return List.of(new StartCache(home, "broker"), new StartCache(home, "agent"));
  }

  public Path file() {
    String jar = home.jar(module).getFileName().toString();
    return home.jar(module).resolveSibling(jar.substring(0, jar.length() - 4) + ".aot");
  }

  /// For a start; nothing where there is no cache.
  List<String> options() {
    if (!Files.isReadable(file())) {
      return List.of();
    }
    List<String> options = new ArrayList<>(List.of("-XX:AOTCache=" + file()));
    options.addAll(QUIET);
    return options;
  }

  /// Whether the JVM would take it.
  public boolean fits() throws IOException, InterruptedException {
    if (!Files.isReadable(file())) {
      return false;
    }
    return java(List.of("-XX:AOTMode=on", "-XX:AOTCache=" + file()), "-version").exitCode() == 0;
  }

  /// What makes a start of this program a training run; the record is written when it ends.
  public Launch recording(Launch launch, Path recorded) {
    return launch.option("-XX:AOTMode=record").option("-XX:AOTConfiguration=" + recorded);
  }

  /// Makes the cache of what a training run recorded.
  public void make(Path recorded) throws IOException, InterruptedException {
    Path beside = file().resolveSibling(file().getFileName() + ".new");
    Ended ended =
        java(
            List.of(
                "-XX:AOTMode=create", "-XX:AOTConfiguration=" + recorded, "-XX:AOTCache=" + beside),
            "-version");
    if (ended.exitCode() != 0 || !Files.exists(beside)) {
      throw new IOException(
          "expected java to write "
              + beside
              + ", found exit code "
              + ended.exitCode()
              + ": "
              + ended.said());
    }
    Files.move(beside, file(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private record Ended(int exitCode, String said) {}

  private Ended java(List<String> options, String argument)
      throws IOException, InterruptedException {
    List<String> command = Launch.java(options);
    command.add("-cp");
    command.add(home.jar(module).toString());
    command.add(argument);
    Path said = Files.createTempFile("penstock-start-cache-", ".log");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      if (!process.waitFor(MADE_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
      }
      return new Ended(process.exitValue(), Files.readString(said, StandardCharsets.UTF_8).strip());
    } finally {
      Files.delete(said);
    }
  }
}
