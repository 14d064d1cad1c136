package io.penstock.broker.backup;

import io.penstock.broker.access.Actor;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.backup.BackupException.Reason;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.BackupTables;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Migrations;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes backups, one at a time: a sealed file in the data directory that the caller sends on and
/// deletes. Nothing of what it holds is ever on disk in the clear.
public final class Backups {
  /// Files of the data directory that no table has: the development CA, where there is one.
  static final List<String> FILES = List.of("ca.pem", "ca.key.sealed");

  /// What the keystore's content is called in a backup.
  static final String KEYS = "keystore";

  public static final int MIN_PASSPHRASE_BYTES = 12;

  private static final String PREFIX = "backup-";
  private static final String SUFFIX = ".part";
  private static final Duration LONGEST = Duration.ofHours(1);
  private static final int ATTEMPTS = 3;
  private static final Logger LOG = LoggerFactory.getLogger(Backups.class);

  private final Database database;
  private final BrokerKeys keys;
  private final DataDirectory data;
  private final Audit audit;
  private final SecureRandom random;
  private final Clock clock;
  private final BackupTables tables = new BackupTables();
  private final Semaphore one = new Semaphore(1);

  public Backups(
      Database database,
      BrokerKeys keys,
      DataDirectory data,
      Audit audit,
      SecureRandom random,
      Clock clock) {
    this.database = database;
    this.keys = keys;
    this.data = data;
    this.audit = audit;
    this.random = random;
    this.clock = clock;
  }

  /// A finished backup.
  ///
  /// @param file the caller's to delete
  public record Made(Path file, Instant at) {}

  /// What a killed broker has left.
  public void removeLeftovers() {
    try (Stream<Path> files = Files.list(data.path())) {
      for (Path file :
          files
              .filter(it -> it.getFileName().toString().startsWith(PREFIX))
              .filter(it -> it.getFileName().toString().endsWith(SUFFIX))
              .toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove unfinished backups from " + data.path(), e);
    }
  }

  /// The event comes first and is in the backup itself: what cannot be recorded does not happen.
  ///
  /// @param passphrase the caller wipes it
  public Made make(byte[] passphrase, Actor by) {
    if (passphrase.length < MIN_PASSPHRASE_BYTES) {
      throw new IllegalArgumentException("a short passphrase");
    }
    if (!one.tryAcquire()) {
      throw new BackupException(Reason.BUSY, "another backup is being made");
    }
    try {
      audit.record(event("success", by));
      return made(passphrase, by);
    } finally {
      one.release();
    }
  }

  private Made made(byte[] passphrase, Actor by) {
    @Nullable Path file = null;
    try {
      file =
          Files.createTempFile(
              data.path(),
              PREFIX,
              SUFFIX,
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Instant now = clock.instant();
      write(file, passphrase, now);
      return new Made(file, now);
    } catch (IOException | RuntimeException failure) {
      discard(file, failure);
      audit.record(
          event("failure", by).because("not finished: " + failure.getClass().getSimpleName()));
      if (failure instanceof RuntimeException unchecked) {
        throw unchecked;
      }
      throw new UncheckedIOException("cannot write a backup", (IOException) failure);
    }
  }

  private static void discard(@Nullable Path file, Exception failure) {
    if (file != null) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException second) {
        failure.addSuppressed(second);
      }
    }
  }

  private static AuditEvent event(String result, Actor by) {
    return AuditEvent.of("backup.create", result)
        .by(by.name())
        .agreedBy(by.approvedBy())
        .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource()));
  }

  /// Rows are of one moment, and the keys are those that they were written under: keys that changed
  /// meanwhile are a reason to begin anew.
  private void write(Path file, byte[] passphrase, Instant now) throws IOException {
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      byte[] before = keys.secretsForBackup();
      byte[] after = {};
      try {
        writeOnce(file, passphrase, before, now);
        after = keys.secretsForBackup();
        if (Arrays.equals(before, after)) {
          return;
        }
      } finally {
        Arrays.fill(before, (byte) 0);
        Arrays.fill(after, (byte) 0);
      }
      LOG.info("the broker's keys changed while a backup was made; it is made again");
    }
    throw new BackupException(Reason.BUSY, "the broker's keys are being changed: try again later");
  }

  private void writeOnce(Path file, byte[] passphrase, byte[] secrets, Instant now)
      throws IOException {
    try (OutputStream raw =
            new BufferedOutputStream(
                Files.newOutputStream(
                    file, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING));
        OutputStream sealed =
            SealedParts.sealing(raw, passphrase, Migrations.schema(), now, random);
        var content = new ContentWriter(new GZIPOutputStream(sealed, 1 << 16))) {
      content.file(KEYS, secrets);
      for (String name : FILES) {
        Optional<byte[]> found = data.read(name);
        if (found.isPresent()) {
          content.file(name, found.get());
        }
      }
      database.lasting(
          LONGEST,
          tx -> {
            tables.export(tx, content);
            return true;
          });
      content.end();
    }
  }
}
