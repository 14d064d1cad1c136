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
import java.util.concurrent.atomic.AtomicInteger;

/// A migrated database of its own for one test class, on one real Postgres server per test JVM.
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
    Server.execute("create database " + name + " template template_migrated");
    return new TestDatabase(Server.POSTGRES.address().withDatabase(name));
  }

  public Database database() {
    return database;
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

  /// Started by the first test that needs it, stopped with the JVM.
  private static final class Server {
    static final EmbeddedPostgres POSTGRES = start();

    private static EmbeddedPostgres start() {
      Path directory = createDirectory();
      DataDirectory data = DataDirectory.open(directory);
      TestBinaries.placeIn(data);
      EmbeddedPostgres postgres = EmbeddedPostgres.start(data, "template_migrated");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(postgres, directory)));
      Migrations.run(postgres.address());
      return postgres;
    }

    private static Path createDirectory() {
      try {
        return Files.createTempDirectory("penstock-test-postgres");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void stop(EmbeddedPostgres postgres, Path directory) {
      postgres.close();
      try {
        PostgresBinaries.deleteTree(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    static void execute(String sql) {
      DatabaseAddress admin = POSTGRES.address().withDatabase("postgres");
      try (var connection = DriverManager.getConnection(admin.jdbcUrl(), admin.jdbcProperties());
          var statement = connection.createStatement()) {
        statement.execute(sql);
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
