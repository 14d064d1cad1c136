package io.penstock.loadtest.fault;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/// The ahead-of-time cache of a program (JEP 483, 514, 515), beside its jar: classes read and
/// linked, and what a training run learnt of its methods, so that a start skips that work.
///
/// A JVM that does not take a cache says no word, but starts more slowly than without one, and it
/// was seen to take the cache of another jar. So a stamp beside it names the JDK and the sizes of
/// Penstock's own jars, and a start is given the cache only if these are the ones in use and no jar
/// is newer. A cache is never deleted, and replaced whole while programs use it.
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
    if (!isCurrent()) {
      return List.of();
    }
    List<String> options = new ArrayList<>(List.of("-XX:AOTCache=" + file()));
    options.addAll(QUIET);
    return options;
  }

  /// As the launcher judges it, which asks no JVM.
  boolean isCurrent() {
    try {
      return Files.isReadable(file())
          && Files.isReadable(stampFile())
          && Files.readString(stampFile()).equals(stamp())
          && isAsNewAsItsJars();
    } catch (IOException unreadable) {
      // Then the launcher gives none either.
      return false;
    }
  }

  private boolean isAsNewAsItsJars() throws IOException {
    FileTime made = Files.getLastModifiedTime(file());
    Path jar = home.jar(module);
    try (DirectoryStream<Path> libraries =
        Files.newDirectoryStream(jar.resolveSibling("lib"), "*.jar")) {
      for (Path library : libraries) {
        if (Files.getLastModifiedTime(library).compareTo(made) > 0) {
          return false;
        }
      }
    }
    return Files.getLastModifiedTime(jar).compareTo(made) <= 0;
  }

  Path stampFile() {
    return file().resolveSibling(file().getFileName() + ".of");
  }

  /// This JDK's place and version, and the sizes of Penstock's own jars, as the launcher finds
  /// them.
  String stamp() throws IOException {
    Path jdk = Path.of(System.getProperty("java.home")).toRealPath();
    var stamp = new StringBuilder(jdk + "\n");
    for (String line : Files.readAllLines(jdk.resolve("release"))) {
      if (line.startsWith("JAVA_VERSION=") || line.startsWith("JAVA_RUNTIME_VERSION=")) {
        stamp.append(line).append('\n');
      }
    }
    Path jar = home.jar(module);
    String name = jar.getFileName().toString();
    for (String part : List.of(name, "lib/" + name.replace(module, "codec"))) {
      stamp.append(part).append('=').append(Files.size(jar.resolveSibling(part))).append('\n');
    }
    return stamp.toString();
  }

  /// Whether a start is given it, and the JVM would take it.
  public boolean fits() throws IOException, InterruptedException {
    if (!isCurrent()) {
      return false;
    }
    List<String> options = List.of("-XX:AOTMode=on", "-XX:AOTCache=" + file());
    return java(options, ProcessBuilder.Redirect.DISCARD) == 0;
  }

  /// What makes a start of this program a training run; the record is written when it ends.
  public Launch recording(Launch launch, Path recorded) {
    return launch.option("-XX:AOTMode=record").option("-XX:AOTConfiguration=" + recorded);
  }

  /// Makes the cache of what a training run recorded. What java said stays beside the record. An
  /// interrupt ends it, and leaves nothing unfinished.
  public void make(Path recorded) throws IOException, InterruptedException {
    // Of a name of its own: others may be making the same.
    String own = "." + UUID.randomUUID() + ".new";
    Path beside = file().resolveSibling(file().getFileName() + own);
    Path stampBeside = file().resolveSibling(stampFile().getFileName() + own);
    Path said = recorded.resolveSibling(recorded.getFileName() + ".log");
    try {
      List<String> options =
          List.of(
              "-XX:AOTMode=create", "-XX:AOTConfiguration=" + recorded, "-XX:AOTCache=" + beside);
      int exitCode = java(options, ProcessBuilder.Redirect.to(said.toFile()));
      if (exitCode != 0 || !Files.exists(beside)) {
        throw new IOException(
            "expected java to write "
                + beside
                + ", found exit code "
                + exitCode
                + ": "
                + Files.readString(said).strip());
      }
      replace(beside, file());
      replace(Files.writeString(stampBeside, stamp()), stampFile());
    } finally {
      Files.deleteIfExists(beside);
      Files.deleteIfExists(stampBeside);
    }
  }

  private static void replace(Path made, Path target) throws IOException {
    Files.move(made, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /// Of a java with these options that only says its version; it does not outlive this call.
  private int java(List<String> options, ProcessBuilder.Redirect said)
      throws IOException, InterruptedException {
    List<String> command = Launch.java(options);
    command.add("-cp");
    command.add(home.jar(module).toString());
    command.add("-version");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said).start();
    try {
      var _ = process.waitFor(MADE_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
    } finally {
      process.destroyForcibly().waitFor();
    }
    return process.exitValue();
  }
}
