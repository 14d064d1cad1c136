package io.penstock.loadtest.fault;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/// Starts processes from the built jars, logs beside each other in one directory, and ends what is
/// left in reverse order.
public final class Processes implements AutoCloseable {
  private final Home home;
  private final Path logs;
  private final List<PenstockProcess> started = new ArrayList<>();
  private boolean closed;

  public Processes(Home home, Path logs) {
    this.home = home;
    this.logs = logs;
  }

  /// Logs of a process that is started again go on in the same file.
  public synchronized PenstockProcess start(Launch launch) {
    if (closed) {
      throw new IllegalStateException(
          "expected to start " + launch.name() + " before the end, found that all were ended");
    }
    PenstockProcess process = PenstockProcess.start(launch, home, logFile(launch.name()));
    started.add(process);
    return process;
  }

  private Path logFile(String name) {
    Path log = logs.resolve(name + ".log");
    try {
      return Files.createFile(
          log, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } catch (FileAlreadyExistsException e) {
      return log;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot create " + log, e);
    }
  }

  /// A port that nobody listens on now.
  public static int freePort() {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    for (PenstockProcess process : started.reversed()) {
      process.close();
    }
    started.clear();
  }
}
