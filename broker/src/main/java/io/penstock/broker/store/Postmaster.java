package io.penstock.broker.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A server that lives on a data directory, as its `postmaster.pid` tells. The file outlives a
/// killed server and its number may by now be another program's, so only a process whose working
/// directory is the data directory counts.
record Postmaster(ProcessHandle process, int port, boolean ready) {
  static final String FILE = "postmaster.pid";
  private static final int PORT_LINE = 3;
  private static final int STATUS_LINE = 7;

  static Optional<Postmaster> livingOn(Path dataDirectory) throws IOException {
    Path file = dataDirectory.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    List<String> lines = Files.readAllLines(file);
    return lines.isEmpty()
        ? Optional.empty()
        : processOn(dataDirectory, lines.getFirst()).map(process -> of(process, lines));
  }

  private static Postmaster of(ProcessHandle process, List<String> lines) {
    int port = lines.size() > PORT_LINE ? Integer.parseInt(lines.get(PORT_LINE).strip()) : 0;
    boolean ready = lines.size() > STATUS_LINE && lines.get(STATUS_LINE).strip().equals("ready");
    return new Postmaster(process, port, ready);
  }

  private static Optional<ProcessHandle> processOn(Path dataDirectory, String pid) {
    try {
      long number = Long.parseLong(pid.strip());
      Path workingDirectory = Path.of("/proc/" + number + "/cwd").toRealPath();
      return workingDirectory.equals(dataDirectory.toRealPath())
          ? ProcessHandle.of(number)
          : Optional.empty();
    } catch (IOException | NumberFormatException _) {
      // No such process, or not ours to look at: then it is not our server either.
      return Optional.empty();
    }
  }

  boolean runs(Path programs) {
    try {
      return Path.of("/proc/" + process.pid() + "/exe")
          .toRealPath()
          .startsWith(programs.toRealPath());
    } catch (IOException _) {
      return false;
    }
  }
}
