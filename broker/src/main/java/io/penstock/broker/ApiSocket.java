package io.penstock.broker;

import io.penstock.broker.config.DataDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where the API's unix socket lies: in the data directory, which nobody else may enter; where that
/// path is too long for a unix socket, in a private directory of its own that goes with us.
record ApiSocket(Path path, Optional<Path> ownDirectory) implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ApiSocket.class);

  /// `sun_path` has room for 108 bytes on Linux, less elsewhere.
  private static final int MAX_BYTES = 100;

  static ApiSocket in(DataDirectory data) {
    Path path = data.resolve("api.sock");
    if (path.toString().getBytes(StandardCharsets.UTF_8).length <= MAX_BYTES) {
      return new ApiSocket(path, Optional.empty());
    }
    try {
      // Made with mode 0700.
      Path directory = Files.createTempDirectory("penstock");
      return new ApiSocket(directory.resolve("api.sock"), Optional.of(directory));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a directory for the API's socket", e);
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(path);
      if (ownDirectory.isPresent()) {
        Files.deleteIfExists(ownDirectory.get());
      }
    } catch (IOException e) {
      LOG.warn("cannot remove {}", path, e);
    }
  }
}
