package io.penstock.broker.backup;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Role;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.audit.AuditProof;
import io.penstock.broker.audit.Verdict;
import io.penstock.broker.backup.BackupException.Reason;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.BackupTables;
import io.penstock.broker.store.Migrations;
import io.penstock.broker.store.TestDatabase;
import io.penstock.broker.store.TestRowsOfEveryTable;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Keyset;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestorationTest {
  private static final byte[] PASSPHRASE = "correct horse battery".getBytes(UTF_8);
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Clock CLOCK = Clock.systemUTC();
  private static final Actor ADMIN =
      new Actor(
          "admin@example.com",
          Role.ADMIN,
          Role.ADMIN.permissions(),
          List.of(),
          new UUID(0, 1),
          Actor.Origin.internal());

  @TempDir Path temporary;
  private final TestDatabase old = TestDatabase.create();
  private final TestDatabase fresh = TestDatabase.create();
  private DataDirectory oldData;
  private DataDirectory freshData;
  private BrokerKeys keys;
  private Audit audit;
  private Backups backups;

  @BeforeEach
  void open() {
    oldData = DataDirectory.open(temporary.resolve("old"));
    freshData = DataDirectory.open(temporary.resolve("fresh"));
    keys = BrokerKeys.open(oldData, master(oldData), RANDOM, CLOCK);
    audit = new Audit(old.database(), keys.rowMac(), CLOCK);
    backups = new Backups(old.database(), keys, oldData, audit, RANDOM, CLOCK);
  }

  @AfterEach
  void close() {
    oldData.close();
    freshData.close();
    old.close();
    fresh.close();
  }

  private static MasterKey master(DataDirectory data) {
    return MasterKey.load(Optional.empty(), data, RANDOM);
  }

  private Path made() {
    return backups.make(PASSPHRASE.clone(), ADMIN).file();
  }

  private Restoration restoration(Path file) {
    return new Restoration(file, PASSPHRASE.clone(), freshData, RANDOM, CLOCK);
  }

  private Restoration.Done restore(Path file) {
    Restoration restoration = restoration(file);
    restoration.check();
    return restoration.into(fresh.database(), master(freshData));
  }

  private void assertRefused(Path file, Reason reason) {
    assertThatThrownBy(() -> restoration(file).check())
        .asInstanceOf(type(BackupException.class))
        .extracting(BackupException::reason)
        .isEqualTo(reason);
  }

  private static AuditProof proof(TestDatabase of, BrokerKeys with, DataDirectory data) {
    return new AuditProof(
        new AuditProof.Surroundings(
            of.database(),
            with,
            data,
            new Audit(of.database(), with.rowMac(), CLOCK),
            Optional.empty(),
            CLOCK));
  }

  @Test
  void everyRowOfEveryTableComesBack() {
    var rows = new TestRowsOfEveryTable();
    rows.fill(old);
    var before = rows.content(old);
    assertThat(before.keySet()).containsAll(BackupTables.EXPORTED);
    BackupTables.EXPORTED.forEach(
        table -> assertThat(before.getOrDefault(table, List.of())).as(table).isNotEmpty());

    Restoration.Done done = restore(made());

    var after = rows.content(fresh);
    for (String table : BackupTables.EXPORTED) {
      switch (table) {
        // One that was not used is withdrawn, counters go on above, events came on both sides.
        case "enrollment_tokens" ->
            assertThat(after.getOrDefault(table, List.of()))
                .hasSize(before.getOrDefault(table, List.of()).size() - 1);
        case "session_epochs", "message_sequences" ->
            assertThat(after.getOrDefault(table, List.of()))
                .hasSameSizeAs(before.getOrDefault(table, List.of()));
        case "audit_log" ->
            assertThat(after.getOrDefault(table, List.of()))
                .containsAll(before.getOrDefault(table, List.of()));
        default ->
            assertThat(after.getOrDefault(table, List.of()))
                .as(table)
                .isEqualTo(before.getOrDefault(table, List.of()));
      }
    }
    BackupTables.LEFT_OUT.keySet().stream()
        .filter(table -> !table.equals("flyway_schema_history"))
        .forEach(table -> assertThat(after.getOrDefault(table, List.of())).as(table).isEmpty());
    assertThat(done.withdrawn()).isEqualTo(1);
    assertThat(fresh.number("select min(epoch) as n from session_epochs")).isGreaterThan(1_000_000);
    assertThat(fresh.number("select min(next_seq) as n from message_sequences"))
        .isGreaterThan(1_000_000);
    assertThat(fresh.number("select nextval('alarms_id_seq') as n"))
        .isGreaterThan(fresh.number("select max(id) as n from alarms"));
  }

  @Test
  void theTrailVerifiesOnAndSaysWhatWasDoneOnBothSides() {
    AuditProof before = proof(old, keys, oldData);
    for (int i = 0; i < 5; i++) {
      audit.record(AuditEvent.of("user.create", "success").on("user-" + i));
    }
    before.exportBegin();
    Path file = made();

    restore(file);

    BrokerKeys restored = BrokerKeys.open(freshData, master(freshData), RANDOM, CLOCK);
    assertThat(freshData.read(AuditProof.CHECKPOINT_FILE)).isPresent();
    AuditProof after = proof(fresh, restored, freshData);
    after.exportBegin();
    Verdict verdict = after.verify(0, Duration.ofSeconds(20));
    assertThat(verdict.bad()).isEmpty();
    assertThat(fresh.number("select count(*) as n from audit_log")).isEqualTo(7);
    assertThat(verdict.to()).isGreaterThanOrEqualTo(6);
    assertThat(
            fresh.number("select count(*) as n from audit_log where event_type = 'backup.create'"))
        .isEqualTo(1);
    assertThat(
            fresh.number("select count(*) as n from audit_log where event_type = 'backup.restore'"))
        .isEqualTo(1);
  }

  @Test
  void theSameOwnerGoesOnInANewIncarnationThatItsRootHasSigned() {
    String signed = keys.sign(new HeadManifest("press", 1, 1, 7, 10, 20, new TreeMap<>()));
    byte[] wrapped = keys.kek().wrap("context", "hidden".getBytes(UTF_8));
    Keyset seen = keys.keyset();
    assertThat(keys.incarnation()).isEqualTo(Keyset.FIRST_INCARNATION);

    restore(made());

    BrokerKeys restored = BrokerKeys.open(freshData, master(freshData), RANDOM, CLOCK);
    assertThat(restored.rootKey()).isEqualTo(keys.rootKey());
    assertThat(HeadManifest.verify(signed, restored.keyset()).sequence()).isEqualTo(7);
    assertThat(restored.kek().unwrap("context", wrapped)).isEqualTo("hidden".getBytes(UTF_8));
    assertThat(restored.keyset().version()).isGreaterThan(seen.version());
    assertThat(restored.incarnation()).isGreaterThan(Keyset.FIRST_INCARNATION);
    assertThat(Keyset.verifyIgnoringTime(restored.keysetJws(), keys.rootKey()).incarnation())
        .isEqualTo(restored.incarnation());
    assertThat(freshData.read("master.key")).isNotEqualTo(oldData.read("master.key"));
    restored.announce(java.util.Set.of(io.penstock.broker.keys.ManagedKey.CONFIGURATION));
    assertThat(restored.keyset().incarnation()).isEqualTo(restored.incarnation());
  }

  @Test
  void nothingOfItIsEverOnDiskInTheClear() throws IOException {
    old.execute(
        "insert into blocks (cidr, reason, created_at, created_by) values"
            + " ('203.0.113.0/24', 'canary-in-a-row', now(), 'x')");
    Path file = made();

    String bytes = Files.readString(file, ISO_8859_1);
    assertThat(bytes).doesNotContain("canary-in-a-row").doesNotContain("row-mac");
    assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
    try (Stream<Path> files = Files.list(oldData.path())) {
      for (Path each : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(each, ISO_8859_1)).doesNotContain("canary-in-a-row");
      }
    }
    backups.removeLeftovers();
    assertThat(file).doesNotExist();
  }

  @Test
  void onlyAnEmptyBrokerTakesIt() {
    Path file = made();
    fresh.execute(
        "insert into blocks (cidr, reason, created_at, created_by) values"
            + " ('203.0.113.0/24', '', now(), 'x')");
    assertThatThrownBy(() -> restoration(file).into(fresh.database(), master(freshData)))
        .isInstanceOf(BackupException.class)
        .hasMessageContaining("rows in blocks");
    assertThat(freshData.read("keystore")).isEmpty();
    fresh.execute("delete from blocks");

    restore(file);

    assertRefused(file, Reason.NOT_EMPTY);
    assertThatThrownBy(() -> restoration(file).into(fresh.database(), master(freshData)))
        .isInstanceOf(BackupException.class);
    assertThat(freshData.read("keystore")).isPresent();
  }

  @Test
  void aFileThatIsNotWholeChangesNothing() throws IOException {
    Path file = made();
    byte[] whole = Files.readAllBytes(file);
    byte[] altered = whole.clone();
    altered[whole.length - 40] ^= 1;
    Files.write(file, altered);
    assertRefused(file, Reason.ALTERED);
    assertThatThrownBy(() -> restoration(file).into(fresh.database(), master(freshData)))
        .isInstanceOf(BackupException.class);
    Files.write(file, Arrays.copyOf(whole, whole.length - 1));
    assertRefused(file, Reason.CUT);
    Files.write(file, whole);
    assertThatThrownBy(
            () -> new Restoration(file, "wrong".getBytes(UTF_8), freshData, RANDOM, CLOCK).check())
        .isInstanceOf(BackupException.class)
        .hasMessageContaining("passphrase");

    assertThat(fresh.number("select count(*) as n from audit_log")).isZero();
    assertThat(freshData.read("keystore")).isEmpty();
    restore(file);
  }

  @Test
  void anotherSchemaIsNamed() throws IOException {
    int ours = Migrations.schema().version();
    Path file = temporary.resolve("other");
    try (var content =
        new ContentWriter(
            new GZIPOutputStream(
                SealedParts.sealing(
                    new BufferedOutputStream(Files.newOutputStream(file)),
                    PASSPHRASE.clone(),
                    new Migrations.Schema(ours - 1, "other"),
                    CLOCK.instant(),
                    RANDOM)))) {
      content.end();
    }
    assertThatThrownBy(() -> restoration(file).check())
        .isInstanceOf(BackupException.class)
        .hasMessageContaining("expected schema version " + ours + ", found " + (ours - 1));
  }

  @Test
  void aRestoreFromTheSameBackupAgainIsYetAnotherIncarnation() {
    Path file = made();
    long first = restore(file).incarnation();
    try (TestDatabase third = TestDatabase.create();
        DataDirectory data = DataDirectory.open(temporary.resolve("third"))) {
      Clock later = Clock.offset(CLOCK, Duration.ofSeconds(5));
      var again = new Restoration(file, PASSPHRASE.clone(), data, RANDOM, later);
      assertThat(again.into(third.database(), master(data)).incarnation()).isGreaterThan(first);
    }
  }
}
