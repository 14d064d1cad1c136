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
