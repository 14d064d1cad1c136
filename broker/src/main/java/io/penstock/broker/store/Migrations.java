package io.penstock.broker.store;

import java.util.Map;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings the schema to the version of this program, over JDBC, before anything else uses it.
/// Several brokers may start at once: Flyway locks.
public final class Migrations {
  private static final Logger LOG = LoggerFactory.getLogger(Migrations.class);
  private static final Map<String, String> DRIVER =
      Map.of("connectTimeout", "5", "ApplicationName", "penstock-broker-migrations");

  private Migrations() {}

  /// Whether [#run] has nothing to do, or to complain about.
  public static boolean areComplete(Database database) {
    try {
      return database.transaction(SchemaHistory::isComplete);
    } catch (RuntimeException notKnown) {
      // What is wrong with this database, or its history, is better said by Flyway.
      LOG.debug("cannot tell whether the schema is complete", notKnown);
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
