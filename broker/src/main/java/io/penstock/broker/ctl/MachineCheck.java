package io.penstock.broker.ctl;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// What a broker or agent needs of the machine it runs on: the JDK, its data directory, its port.
final class MachineCheck {
  private static final int JDK_FEATURE = 25;

  /// The launcher's; a cache holds for them only.
  static final List<String> SERVER_OPTIONS =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseCompactObjectHeaders");

  private static final int CACHE_TRIED_SECONDS = 20;
  private static final long LOW_SPACE_BYTES = 1L << 30;
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.GROUP_EXECUTE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.OTHERS_EXECUTE);

  static Finding jdk(Runtime.Version version, String home) {
    String expected = "JDK " + JDK_FEATURE;
    String found = version + " at " + home;
    if (version.feature() == JDK_FEATURE) {
      return Finding.ok("JDK", expected, found);
    }
    return Finding.fail(
        "JDK", expected, found, "install a JDK " + JDK_FEATURE + " or set JAVA_HOME to it");
  }

  /// The broker's. Asks a JVM with the broker's options, for this process has others.
  ///
  /// @param given whether the launcher would give it to the broker
  static Finding startCache(boolean given, Path jar) {
    String stage = "start cache";
    String expected = "one of these jars and this JDK, so that the broker starts quickly";
    String remedy = "./penstock warm-up, as the owner of the jars";
    if (!given) {
      return Finding.warn(stage, expected, "none", remedy);
    }
    if (!isTaken(jar.resolveSibling(jar.getFileName().toString().replaceAll("jar$", "aot")), jar)) {
      return Finding.warn(stage, expected, "one that the JVM does not take", remedy);
    }
    return Finding.ok(stage, expected, "so it is");
  }

  private static boolean isTaken(Path cache, Path jar) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(SERVER_OPTIONS);
    command.addAll(List.of("-XX:AOTMode=on", "-XX:AOTCache=" + cache));
    command.addAll(List.of("-cp", jar.toString(), "-version"));
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      try {
        return process.waitFor(CACHE_TRIED_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException unable) {
      return false;
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  static List<Finding> dataDirectory(Path directory) {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return List.of(parentOf(directory.toAbsolutePath()));
    }
    try {
      return List.of(permissions(directory), space(directory));
    } catch (IOException e) {
      return List.of(
          Finding.fail(
              "data",
              "a readable directory " + directory,
              String.valueOf(e.getMessage()),
              "check its owner"));
    }
  }

  private static Finding parentOf(Path directory) {
    String expected = directory + ", or a place to create it";
    Path parent = directory;
    while (parent != null && !Files.exists(parent)) {
      parent = parent.getParent();
    }
    if (parent != null && Files.isDirectory(parent) && Files.isWritable(parent)) {
      return Finding.ok("data", expected, "it will be created below " + parent);
    }
    return Finding.fail(
        "data",
        expected,
        parent + " cannot be written",
        "create it for this user, or name another by --data");
  }

  private static Finding permissions(Path directory) throws IOException {
    String expected = directory + " with 0700, its files with 0600, of this user";
    if (!Files.isDirectory(directory) || !Files.isWritable(directory)) {
      return Finding.fail(
          "data",
          expected,
          "no directory this user can write",
          "chown it, or name another by --data");
    }
    if (isOpenToOthers(directory)) {
      return Finding.fail(
          "data",
          expected,
          PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)),
          "chmod 700 " + directory);
    }
    try (Stream<Path> files = Files.list(directory)) {
      Optional<Path> open =
          files.filter(Files::isRegularFile).filter(MachineCheck::isPrivateFileOpen).findFirst();
      if (open.isPresent()) {
        return Finding.warn(
            "data", expected, "others may read " + open.get(), "chmod 600 " + open.get());
      }
    }
    return Finding.ok("data", expected, "so it is");
  }

  private static Finding space(Path directory) throws IOException {
    long usable = Files.getFileStore(directory).getUsableSpace();
    String expected = "1 GiB free below " + directory;
    String found = (usable >> 20) + " MiB";
    if (usable < LOW_SPACE_BYTES) {
      return Finding.warn("space", expected, found, "make room: a full disk stops the database");
    }
    return Finding.ok("space", expected, found);
  }

  /// The CA certificate is public; everything else at the top of the directory may hold secrets.
  private static boolean isPrivateFileOpen(Path file) {
    try {
      return !file.getFileName().toString().equals("ca.pem") && isOpenToOthers(file);
    } catch (IOException gone) {
      return false;
    }
  }

  private static boolean isOpenToOthers(Path path) throws IOException {
    return Files.getPosixFilePermissions(path).stream().anyMatch(OTHERS::contains);
  }

  /// `running` says whether a broker answered on that port.
  static Finding port(int port, boolean running) {
    String expected = "port " + port + " free, or held by a Penstock broker";
    if (running) {
      return Finding.ok("port", expected, "a broker answers there");
    }
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(port));
      return Finding.ok("port", expected, "free");
    } catch (BindException e) {
      return Finding.fail(
          "port",
          expected,
          String.valueOf(e.getMessage()),
          "stop what listens there, or name another by --port");
    } catch (IOException e) {
      return Finding.fail(
          "port", expected, String.valueOf(e.getMessage()), "name another by --port");
    }
  }

  static boolean brokerAnswers(int port, Optional<String> caPem, Clock clock) {
    return BrokerCheck.answers(URI.create("https://localhost:" + port), caPem, clock);
  }

  private MachineCheck() {}
}
