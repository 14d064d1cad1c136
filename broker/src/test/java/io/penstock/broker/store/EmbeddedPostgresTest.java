package io.penstock.broker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.config.DataDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresTest {
  @TempDir Path temporary;
  private DataDirectory data;

  @BeforeEach
  void openData() {
    data = DataDirectory.open(temporary.resolve("data"));
    TestBinaries.placeIn(data);
  }

  @AfterEach
  void killWhatRuns() throws Exception {
    Postmaster.livingOn(cluster()).ifPresent(server -> kill(server.process().pid()));
    data.close();
  }

  @Test
  void keepsWhatWasCommittedOverStopAndStart() throws Exception {
    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      execute(postgres, "create table t (x int); insert into t values (7)");
    }
    assertThat(Postmaster.livingOn(cluster())).isEmpty();

    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      assertThat(number(postgres, "select x from t")).isEqualTo(7);
    }
  }

  @Test
  void adoptsTheServerThatAKilledBrokerLeft() throws Exception {
    var left = EmbeddedPostgres.start(data, "penstock");
    left.abandon();
    long pid = pid();

    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      assertThat(pid()).isEqualTo(pid);
      assertThat(postgres.address()).isEqualTo(left.address());
      assertThat(number(postgres, "select 1")).isEqualTo(1);
    }
  }

  @Test
  void startsAtOnceAfterTheServerWasKilled() throws Exception {
    var left = EmbeddedPostgres.start(data, "penstock");
    execute(left, "create table t (x int); insert into t values (7)");
    long killed = pid();
    left.abandon();

    kill(killed);

    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      assertThat(pid()).isNotEqualTo(killed);
      assertThat(number(postgres, "select x from t")).isEqualTo(7);
    }
  }

  @Test
  void startsAgainAServerThatIsKilledWhileTheBrokerRuns() throws Exception {
    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      execute(postgres, "create table t (x int); insert into t values (7)");
      var restarted = new CountDownLatch(1);
      postgres.onRestart(restarted::countDown);

      kill(pid());

      assertThat(restarted.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(number(postgres, "select x from t")).isEqualTo(7);
    }
  }

  @Test
  void isNotFooledByAPidFileThatNamesAStranger() throws Exception {
    EmbeddedPostgres.start(data, "penstock").close();
    long stranger = ProcessHandle.current().pid();
    Files.writeString(
        cluster().resolve(Postmaster.FILE),
        stranger + "\n" + cluster() + "\n1\n5432\n\n127.0.0.1\n 1 1\nready\n");

    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      assertThat(number(postgres, "select 1")).isEqualTo(1);
    }
    assertThat(ProcessHandle.current().isAlive()).isTrue();
  }

  @Test
  void replacesALivingServerThatDoesNotKnowOurPassword() throws Exception {
    var left = EmbeddedPostgres.start(data, "penstock");
    long old = pid();
    left.abandon();
    String password = Files.readString(passwordFile());
    Files.writeString(passwordFile(), "somebody-elses-password");

    assertThatThrownBy(() -> EmbeddedPostgres.start(data, "penstock"))
        .hasRootCauseInstanceOf(SQLException.class);
    assertThat(Path.of("/proc/" + old + "/cwd").toFile().list()).isNull();
    Files.writeString(passwordFile(), password);
  }

  @Test
  void refusesAWrongPasswordAndNoPassword() throws Exception {
    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      for (String password : new String[] {"wrong", ""}) {
        var properties = new Properties();
        properties.setProperty("user", "penstock");
        properties.setProperty("password", password);
        assertThatThrownBy(
                () -> DriverManager.getConnection(postgres.address().jdbcUrl(), properties).close())
            .isInstanceOf(SQLException.class);
      }
      assertThat(
              number(
                  postgres,
                  "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'"))
          .isZero();
    }
  }

  @Test
  void syncsEveryCommitAndListensOnLoopbackOnly() throws Exception {
    try (var postgres = EmbeddedPostgres.start(data, "penstock")) {
      assertThat(
              number(
                  postgres,
                  "select count(*) from pg_settings where (name, setting) in (('fsync', 'on'),"
                      + " ('synchronous_commit', 'on'), ('full_page_writes', 'on'),"
                      + " ('listen_addresses', '127.0.0.1'))"))
          .isEqualTo(4);
    }
  }

  @Test
  void keepsThePasswordOutOfArgumentsAndReadableFiles() throws Exception {
    try (var _ = EmbeddedPostgres.start(data, "penstock")) {
      String password = Files.readString(passwordFile());
      String arguments = Files.readString(Path.of("/proc/" + pid() + "/cmdline"));

      assertThat(password).hasSize(32);
      assertThat(arguments).doesNotContain(password);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(passwordFile())))
          .isEqualTo("rw-------");
      assertThat(
              PosixFilePermissions.toString(
                  Files.getPosixFilePermissions(temporary.resolve("data/postgres"))))
          .isEqualTo("rwx------");
    }
  }

  private Path cluster() {
    return temporary.resolve("data/postgres/data");
  }

  private Path passwordFile() {
    return temporary.resolve("data/postgres/password");
  }

  private long pid() throws Exception {
    return Postmaster.livingOn(cluster()).orElseThrow().process().pid();
  }

  private static void kill(long pid) {
    ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
    assertThat(process.destroyForcibly()).isTrue();
    while (Path.of("/proc/" + pid + "/cwd").toFile().list() != null) {
      Thread.onSpinWait();
    }
  }

  private static Connection connect(EmbeddedPostgres postgres) throws SQLException {
    return DriverManager.getConnection(
        postgres.address().jdbcUrl(), postgres.address().jdbcProperties());
  }

  private static void execute(EmbeddedPostgres postgres, String sql) throws SQLException {
    try (var connection = connect(postgres);
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static long number(EmbeddedPostgres postgres, String sql) throws SQLException {
    try (var connection = connect(postgres);
        var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
