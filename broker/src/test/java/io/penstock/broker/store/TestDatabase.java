package io.penstock.broker.store;

import io.penstock.broker.config.DataDirectory;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// A migrated database of its own for one test class, on a real Postgres server that the test's
/// thread keeps for all its classes. Classes beside it have another: what runs in one database is
/// in the snapshots of every other on its server, and an audit trail is sealed up to the oldest
/// transaction that runs.
public final class TestDatabase implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
  private final DatabaseAddress address;
  private final Database database;

  private TestDatabase(DatabaseAddress address) {
    this.address = address;
    this.database = Database.connect(vertx, () -> address, 8, Duration.ofSeconds(10));
  }

  public static TestDatabase create() {
    String name = "test_" + NUMBER.incrementAndGet();
    EmbeddedPostgres server = Server.OF_THREAD.get();
    Server.execute(server, "create database " + name + " template template_migrated");
    return new TestDatabase(server.address().withDatabase(name));
  }

  public Database database() {
    return database;
  }

  /// SQL behind the broker's back: what somebody with access to the database could do.
  public void execute(String sql) {
    database.run(tx -> tx.update(sql));
  }

  /// Empties tables, the audit trail's too, which nothing but a test may.
  public void truncate(String tables) {
    execute("alter table audit_log disable trigger audit_no_truncate");
    execute("truncate " + tables);
    execute("alter table audit_log enable trigger audit_no_truncate");
  }

  /// The column `n` of the one row that a query answers.
  public long number(String query) {
    return database.transaction(tx -> Values.number(tx.one(query).orElseThrow(), "n"));
  }

  /// The same database for another role.
  public Database as(String user, String password) {
    var other =
        new DatabaseAddress(
            address.host(), address.port(), address.database(), user, password, address.sslMode());
    return Database.connect(vertx, () -> other, 4, Duration.ofSeconds(10));
  }

  /// Any statement through any way to a database.
  public static void execute(Database database, String sql) {
    database.run(tx -> tx.update(sql));
  }

  /// Any statement in a transaction.
  public static void execute(Tx tx, String sql) {
    tx.update(sql);
  }

  /// Where `docs` and `conf` are.
  public static Path repositoryRoot() {
    Path path = Path.of("").toAbsolutePath();
    while (!Files.exists(path.resolve("conf/broker.yaml"))) {
      path = java.util.Objects.requireNonNull(path.getParent());
    }
    return path;
  }

  public Vertx vertx() {
    return vertx;
  }

  public DatabaseAddress address() {
    return address;
  }

  @Override
  public void close() {
    database.close();
    vertx.close().await();
  }

  /// One database for all tests of a thread that use a rig: making one takes seconds.
  public static final class OfThread {
    private final ThreadLocal<TestDatabase> database =
        ThreadLocal.withInitial(TestDatabase::create);

    public TestDatabase get() {
      return database.get();
    }

    /// With these tables emptied, and whatever hangs on them.
    public TestDatabase emptied(String tables) {
      database.get().truncate(tables + " restart identity cascade");
      return database.get();
    }
  }

  /// Started by the first test of a thread that needs it, stopped with the JVM.
  private static final class Server {
    static final ThreadLocal<EmbeddedPostgres> OF_THREAD = ThreadLocal.withInitial(Server::start);

    private static EmbeddedPostgres start() {
      Path directory = TestBinaries.newDirectory();
      DataDirectory data = DataDirectory.open(directory);
      TestBinaries.placeIn(data);
      EmbeddedPostgres postgres = EmbeddedPostgres.start(data, "template_migrated");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> kill(postgres, directory)));
      Migrations.run(postgres.address());
      // What is in it is worth nothing: the tests of durability have servers of their own.
      execute(postgres, "alter system set fsync = off");
      execute(postgres, "select pg_reload_conf()");
      return postgres;
    }

    private static void kill(EmbeddedPostgres postgres, Path directory) {
      postgres.abandon();
      try {
        var server =
            Postmaster.livingOn(directory.resolve("postgres/data")).orElseThrow().process();
        List<ProcessHandle> children = server.descendants().toList();
        server.destroyForcibly();
        children.forEach(child -> child.onExit().orTimeout(5, TimeUnit.SECONDS).join());
        PostgresBinaries.deleteTree(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void execute(EmbeddedPostgres postgres, String sql) {
      DatabaseAddress admin = postgres.address().withDatabase("postgres");
      try (var connection = DriverManager.getConnection(admin.jdbcUrl(), admin.jdbcProperties());
          var statement = connection.createStatement()) {
        statement.execute(sql);
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
