package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
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

  /// What names the schema of this program: its newest migration, and a digest of all of them.
  public static Schema schema() {
    var ours = new TreeMap<Integer, Integer>();
    SchemaHistory.ours().forEach((version, sum) -> ours.put(Integer.valueOf(version), sum));
    byte[] all = ours.toString().getBytes(StandardCharsets.UTF_8);
    return new Schema(ours.lastKey(), Octets.sha256(all).hex());
  }

  /// @param version of the newest migration
  /// @param digest of all migrations and what they say
  public record Schema(int version, String digest) {}

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
