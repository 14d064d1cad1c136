package io.penstock.broker.store;

import io.vertx.pgclient.PgException;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/// Brings the schema to the version of this program, over JDBC, before anything else uses it.
/// Several brokers may start at once: Flyway locks.
public final class Migrations {
  private static final Map<String, String> DRIVER =
      Map.of("connectTimeout", "5", "ApplicationName", "penstock-broker-migrations");

  private Migrations() {}

  /// Whether [#run] has nothing to do, or to complain about.
  public static boolean areComplete(Database database) {
    try {
      return database.transaction(SchemaHistory::isComplete);
    } catch (StoreUnavailableException | PgException notKnown) {
      // What is wrong with this database is better said by who has to do with it next.
      return false;
    }
  }

  public static void run(DatabaseAddress address) {
    try {
      Flyway.configure()
          .dataSource(address.jdbcUrl(), address.user(), address.password())
          .jdbcProperties(DRIVER)
          .locations("classpath:db/migration")
          .failOnMissingLocations(true)
          .validateMigrationNaming(true)
          .load()
          .migrate();
    } catch (FlywayException e) {
      throw new StoreUnavailableException(
          "cannot bring the schema of " + address + " up to date", e);
    }
  }
}
