package io.penstock.broker.store;

import io.penstock.broker.config.DataDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The server's programs unpacked once per build directory, so that not every test pays for it.
final class TestBinaries {
  private static final Path SHARED = Path.of("target", "test-postgres").toAbsolutePath();

  private TestBinaries() {}

  /// A directory of this run, in the build directory: `clean` takes along what a killed run left.
  static Path newDirectory() {
    try {
      DataDirectory.createPrivate(SHARED);
      return Files.createTempDirectory(SHARED, "run");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static synchronized void placeIn(DataDirectory data) {
    try {
      DataDirectory.createPrivate(SHARED);
      Path unpacked = PostgresBinaries.unpackedIn(SHARED);
      Path home = data.resolve("postgres");
      DataDirectory.createPrivate(home);
      Files.createSymbolicLink(home.resolve(unpacked.getFileName()), unpacked);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
