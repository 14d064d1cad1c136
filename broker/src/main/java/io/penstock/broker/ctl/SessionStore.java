package io.penstock.broker.ctl;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.Supplier;

/// The signed-in session on disk, `session.json`, and beside it `pins.json`: 0600, in a 0700
/// directory, replaced atomically.
final class SessionStore {
  private final Path directory;

  SessionStore(Path directory) {
    this.directory = directory;
  }

  /// `$PENSTOCK_CTL_HOME`, else `~/.config/penstock`.
  static SessionStore of(Terminal terminal) {
    Path directory =
        terminal
            .variable("PENSTOCK_CTL_HOME")
            .map(Path::of)
            .orElseGet(() -> Path.of(System.getProperty("user.home"), ".config", "penstock"));
    return new SessionStore(directory);
  }

  Path file() {
    return directory.resolve("session.json");
  }

  Optional<StoredSession> load() {
    if (!Files.exists(file())) {
      return Optional.empty();
    }
    try {
      return Json.parse(Files.readAllBytes(file())).map(StoredSession::fromJson);
    } catch (IOException | IllegalArgumentException e) {
      throw Failure.failed("cannot read " + file() + ": " + e.getMessage());
    }
  }

  void save(StoredSession session) {
    replace(file(), session.toJson());
  }

  /// What outlives sessions: whom this operator trusts.
  private Path pinsFile() {
    return directory.resolve("pins.json");
  }

  /// Empty before the first.
  ObjectNode loadPins() {
    if (!Files.exists(pinsFile())) {
      return Json.object();
    }
    try {
      return Json.parse(Files.readAllBytes(pinsFile()))
          .filter(ObjectNode.class::isInstance)
          .map(ObjectNode.class::cast)
          .orElseThrow(
              () ->
                  Failure.failed(
                      pinsFile() + " is damaged: look at it before you trust anybody again"));
    } catch (IOException e) {
      throw Failure.failed("cannot read " + pinsFile() + ": " + e.getMessage());
    }
  }

  void savePins(ObjectNode pins) {
    replace(pinsFile(), pins);
  }

  private void replace(Path file, ObjectNode content) {
    try {
      PrivateFiles.createDirectory(directory);
      Path next = directory.resolve(file.getFileName() + ".next");
      PrivateFiles.write(next, Json.pretty(content).getBytes(StandardCharsets.UTF_8));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw Failure.failed("cannot write " + file + ": " + e.getMessage());
    }
  }

  void delete() {
    try {
      Files.deleteIfExists(file());
    } catch (IOException e) {
      throw Failure.failed("cannot delete " + file() + ": " + e.getMessage());
    }
  }

  /// One refresh at a time on this machine: a refresh token used twice ends the whole session.
  <T> T exclusively(Supplier<T> action) {
    try {
      PrivateFiles.createDirectory(directory);
      try (FileChannel channel =
              FileChannel.open(
                  directory.resolve("session.lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          var _ = channel.lock()) {
        return action.get();
      }
    } catch (IOException e) {
      throw Failure.failed("cannot lock " + directory + ": " + e.getMessage());
    }
  }
}
