package io.penstock.broker.backup;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.audit.AuditProof;
import io.penstock.broker.backup.BackupException.Reason;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.BackupTables;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Migrations;
import io.penstock.broker.store.Tx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Puts a backup into an empty broker that is not running: all of it in one transaction, or
/// nothing. It goes on in a new incarnation.
public final class Restoration {
  private static final Duration LONGEST = Duration.ofHours(1);

  /// What a broker that has ever started has in its data directory. The master key may be there
  /// before: in production somebody lays it there.
  private static final List<String> TRACES =
      List.of("keystore", "ca.pem", "ca.key.sealed", AuditProof.CHECKPOINT_FILE);

  private final Path file;
  private final byte[] passphrase;
  private final DataDirectory data;
  private final SecureRandom random;
  private final Clock clock;
  private final BackupTables tables = new BackupTables();

  /// @param passphrase the caller wipes it
  public Restoration(
      Path file, byte[] passphrase, DataDirectory data, SecureRandom random, Clock clock) {
    this.file = file;
    this.passphrase = passphrase;
    this.data = data;
    this.random = random;
    this.clock = clock;
  }

  /// What was done.
  ///
  /// @param withdrawn enrollment tokens that were not used yet
  public record Done(ContentReader.Contents contents, long incarnation, int withdrawn) {}

  /// Everything that can be said about the file, and about the directory, before anything is
  /// started or written. Throws [BackupException].
  public ContentReader.Contents check() {
    try {
      BackupHeader header = ContentReader.header(file);
      requireOurs(header);
      ContentReader.Contents contents = ContentReader.check(file, passphrase);
      requireNoTraces();
      return contents;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private static void requireOurs(BackupHeader header) {
    Migrations.Schema ours = Migrations.schema();
    if (header.schema() != ours.version() || !header.schemaDigest().equals(ours.digest())) {
      throw new BackupException(
          Reason.SCHEMA,
          "the backup: expected schema version "
              + ours.version()
              + ", found "
              + header.schema()
              + (header.schema() == ours.version() ? " of another build" : "")
              + ": restore with the version of the broker that made it, then upgrade");
    }
  }

  private void requireNoTraces() {
    for (String trace : TRACES) {
      if (Files.exists(data.resolve(trace))) {
        throw notEmpty(data.resolve(trace) + " is there");
      }
    }
  }

  private static BackupException notEmpty(String what) {
    return new BackupException(
        Reason.NOT_EMPTY,
        "the broker to restore into: expected an empty one, but "
            + what
            + ". A restore never changes what is there; take an empty data directory and an empty"
            + " database");
  }

  /// Into a database whose schema is this program's.
  public Done into(Database database, MasterKey masterKey) {
    Written written = new Written(data);
    try {
      return database.lasting(LONGEST, tx -> into(tx, database, masterKey, written));
    } catch (RuntimeException failure) {
      written.removeAll(failure);
      throw failure;
    }
  }

  private Done into(Tx tx, Database database, MasterKey masterKey, Written written) {
    tables
        .firstInUse(tx)
        .ifPresent(
            table -> {
              throw notEmpty("its database has rows in " + table);
            });
    var files = new LinkedHashMap<String, byte[]>();
    ContentReader.Contents contents;
    try {
      contents =
          ContentReader.read(
              file,
              passphrase,
              new ContentReader.Sink() {
                @Override
                public void file(String name, byte[] content) {
                  files.put(name, content);
                }

                @Override
                public void rows(String table, List<String> json) {
                  tables.insert(tx, table, json);
                }

                @Override
                public void sequence(String name, long last) {
                  tables.setSequence(tx, name, last);
                }
              });
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
    int withdrawn = tables.settle(tx, clock.instant());
    writeFiles(tx, files, masterKey, written);
    BrokerKeys keys = BrokerKeys.open(data, masterKey, random, clock);
    new Audit(database, keys.rowMac(), clock)
        .record(
            tx,
            AuditEvent.of("backup.restore", "success")
                .changing(
                    Map.of(
                        "made_at", contents.madeAt().toString(),
                        "rows", contents.total(),
                        "incarnation", keys.incarnation(),
                        "withdrawn_tokens", withdrawn)));
    return new Done(contents, keys.incarnation(), withdrawn);
  }

  private void writeFiles(Tx tx, Map<String, byte[]> files, MasterKey masterKey, Written written) {
    byte @Nullable [] secrets = files.get(Backups.KEYS);
    if (secrets == null) {
      throw new BackupException(Reason.FORMAT, "the backup holds no keys");
    }
    try {
      written.write(Backups.KEYS, BrokerKeys.restored(secrets, masterKey, random, clock));
    } finally {
      Arrays.fill(secrets, (byte) 0);
    }
    for (String name : Backups.FILES) {
      byte @Nullable [] content = files.get(name);
      if (content != null) {
        written.write(name, content);
      }
    }
    // As new as the rows, so that a database that is set back later is found out.
    Optional<String> checkpoint = tables.newestCheckpoint(tx);
    checkpoint.ifPresent(jws -> written.write(AuditProof.CHECKPOINT_FILE, jws.getBytes(US_ASCII)));
  }

  /// Files that go again when the transaction does not commit.
  private static final class Written {
    private final DataDirectory data;
    private final List<String> names = new ArrayList<>();

    Written(DataDirectory data) {
      this.data = data;
    }

    void write(String name, byte[] content) {
      names.add(name);
      data.write(name, content);
    }

    void removeAll(RuntimeException because) {
      for (String name : names) {
        try {
          Files.deleteIfExists(data.resolve(name));
        } catch (IOException e) {
          because.addSuppressed(e);
        }
      }
    }
  }
}
