package io.penstock.loadtest.fault;

import java.nio.file.Files;
import java.nio.file.Path;

/// The repository's root, below which the built jars lie.
public record Home(Path root) {
  private static final String VERSION = "0.1.0";

  /// From the launcher's `penstock.home`; else the nearest directory above that has the launcher.
  public static Home find() {
    String given = System.getProperty("penstock.home");
    if (given != null) {
      return new Home(Path.of(given));
    }
    Path directory = Path.of("").toAbsolutePath();
    while (directory != null) {
      if (Files.isExecutable(directory.resolve("penstock"))) {
        return new Home(directory);
      }
      directory = directory.getParent();
    }
    throw new IllegalStateException(
        "no launcher `penstock` in or above " + Path.of("").toAbsolutePath());
  }

  public Path launcher() {
    return root.resolve("penstock");
  }

  /// A module's jar, which names its libraries in `lib` beside it.
  Path jar(String module) {
    Path jar = target(module).resolve("penstock-" + module + "-" + VERSION + ".jar");
    if (!Files.isRegularFile(jar)) {
      throw new IllegalStateException("not built: " + jar);
    }
    return jar;
  }

  private Path target(String module) {
    return root.resolve(module).resolve("target");
  }
}
