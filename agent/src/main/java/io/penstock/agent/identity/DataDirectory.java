package io.penstock.agent.identity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The directory behind `--data`: 0700, its files 0600, owned by one process at a time.
///
/// A file is written beside, synced, and then takes its place by a rename and a sync of the
/// directory, so a crash or a full disk leaves the old one. [#stage] and [#commit] are the two
/// halves, for whoever has something to do in between.
public final class DataDirectory implements AutoCloseable {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
  private static final String LOCK = "lock";
  private static final String STAGED = ".next";
  private static final String BESIDE = ".new";

  private final Path path;
  private final FileChannel lock;
  private volatile boolean wiped;

  private DataDirectory(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /// Creates the directory if need be and takes its lock, which the kernel drops when the process
  /// dies. Fails when another process holds it.
  public static DataDirectory open(Path directory) throws IOException {
    Path path = directory.toAbsolutePath().normalize();
    var ownerOnly = PosixFilePermissions.fromString("rwx------");
    Files.createDirectories(path, PosixFilePermissions.asFileAttribute(ownerOnly));
    if (!Files.getPosixFilePermissions(path).equals(ownerOnly)) {
      Files.setPosixFilePermissions(path, ownerOnly);
    }
    FileChannel lock =
        FileChannel.open(
            path.resolve(LOCK),
            EnumSet.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    if (isTaken(lock)) {
      lock.close();
      throw new IOException(path + " is in use by another agent");
    }
    return new DataDirectory(path, lock);
  }

  private static boolean isTaken(FileChannel lock) throws IOException {
    try {
      return lock.tryLock() == null;
    } catch (OverlappingFileLockException _) {
      return true;
    }
  }

  public Path path() {
    return path;
  }

  public Optional<byte[]> read(String name) throws IOException {
    try {
      return Optional.of(Files.readAllBytes(path.resolve(name)));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  public void write(String name, byte[] content) throws IOException {
    writeBeside(name + BESIDE, content);
    replace(name + BESIDE, name);
  }

  /// Writes `content` beside `name`, durably; nobody reads it until [#commit].
  void stage(String name, byte[] content) throws IOException {
    writeBeside(name + STAGED, content);
  }

  private void writeBeside(String name, byte[] content) throws IOException {
    if (wiped) {
      throw new IOException(path + " is wiped: nothing is written there any more");
    }
    Path beside = path.resolve(name);
    Files.deleteIfExists(beside);
    try (FileChannel channel =
        FileChannel.open(
            beside,
            EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(OWNER_ONLY))) {
      var buffer = ByteBuffer.wrap(content);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
    syncDirectory();
  }

  /// What was staged takes its place, at once and durably.
  void commit(String name) throws IOException {
    replace(name + STAGED, name);
  }

  private void replace(String from, String to) throws IOException {
    Files.move(
        path.resolve(from),
        path.resolve(to),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    syncDirectory();
  }

  /// Forgets what was staged, and what a crash left half written.
  void discardStaged(String name) throws IOException {
    delete(name + STAGED);
    delete(name + BESIDE);
  }

  public void delete(String name) throws IOException {
    if (Files.deleteIfExists(path.resolve(name))) {
      syncDirectory();
    }
  }

  /// Overwrites and deletes everything but the lock: a revoked agent keeps nothing.
  public void wipe() throws IOException {
    wiped = true;
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        wipe(file);
      }
    }
    syncDirectory();
  }

  private void wipe(Path file) throws IOException {
    if (file.equals(path) || file.equals(path.resolve(LOCK))) {
      return;
    }
    if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      overwrite(file);
    }
    Files.delete(file);
  }

  /// The best a file system promises: some write elsewhere, so the secrets below are also useless
  /// by then, because the broker has deleted its half.
  private static void overwrite(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      var zeros = ByteBuffer.allocate(8 * 1024);
      long left = channel.size();
      while (left > 0) {
        zeros.clear().limit((int) Math.min(left, zeros.capacity()));
        left -= channel.write(zeros);
      }
      channel.force(true);
    }
  }

  private void syncDirectory() throws IOException {
    try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
