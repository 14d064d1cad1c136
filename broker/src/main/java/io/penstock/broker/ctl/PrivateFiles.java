package io.penstock.broker.ctl;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Files that only their owner reads, from their first moment on.
final class PrivateFiles {

  static void createDirectory(Path directory) throws IOException {
    Files.createDirectories(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /// Replaces what is there: an existing file could have wider permissions, or be a link to
  /// elsewhere.
  static void write(Path file, byte[] content) throws IOException {
    Files.deleteIfExists(file);
    try (SeekableByteChannel channel =
            Files.newByteChannel(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rw-------")));
        OutputStream out = Channels.newOutputStream(channel)) {
      out.write(content);
    }
  }

  private PrivateFiles() {}
}
