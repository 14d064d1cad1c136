package io.penstock.broker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.broker.config.DataDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Only root can drop privileges, so as an ordinary user there is nothing to see here.
@Tag("slow")
class ServerAccountTest {
  @TempDir Path temporary;

  @Test
  void eachWayOfDroppingThePrivilegeFindsWhatTheOtherLeft() throws Exception {
    assumeTrue(ServerAccount.ofThisProcess() != ServerAccount.SELF, "not root");
    try (DataDirectory data = DataDirectory.open(temporary.resolve("data"))) {
      TestBinaries.placeIn(data);
      int expected = 0;
      for (ServerAccount account :
          new ServerAccount[] {
            ServerAccount.NOBODY, ServerAccount.NAMESPACE, ServerAccount.NOBODY
          }) {
        try (var postgres = EmbeddedPostgres.start(data, "penstock", account)) {
          assertThat(rows(postgres)).isEqualTo(expected++);
          assertThat(owner(data.resolve("postgres/data")))
              .isEqualTo(account == ServerAccount.NOBODY ? 65534 : 0);
        }
        assertThat(Postmaster.livingOn(data.resolve("postgres/data"))).isEmpty();
      }
    }
  }

  private static int rows(EmbeddedPostgres postgres) throws Exception {
    DatabaseAddress address = postgres.address();
    try (var connection = DriverManager.getConnection(address.jdbcUrl(), address.jdbcProperties());
        var statement = connection.createStatement()) {
      statement.execute("create table if not exists t (x int)");
      int found;
      try (var rows = statement.executeQuery("select count(*) from t")) {
        assertThat(rows.next()).isTrue();
        found = rows.getInt(1);
      }
      statement.execute("insert into t values (1)");
      return found;
    }
  }

  private static int owner(Path path) throws Exception {
    return (Integer) Files.getAttribute(path, "unix:uid");
  }
}
