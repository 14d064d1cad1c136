package io.penstock.broker.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Against databases that Flyway has migrated: its checksums have to be ours.
@Timeout(120)
class SchemaHistoryTest {
  private TestDatabase test;

  @BeforeEach
  void open() {
    test = TestDatabase.create();
  }

  @AfterEach
  void close() {
    test.close();
  }

  private boolean isComplete() {
    return test.database().transaction(SchemaHistory::isComplete);
  }

  @Test
  void whatFlywayHasMigratedIsComplete() {
    assertThat(SchemaHistory.ours()).isNotEmpty();
    assertThat(isComplete()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "drop table flyway_schema_history",
        "delete from flyway_schema_history",
        "delete from flyway_schema_history where version = '4'",
        "update flyway_schema_history set checksum = checksum + 1 where version = '4'",
        "update flyway_schema_history set success = false where version = '4'",
        "insert into flyway_schema_history select 999, '999', description, type, script, checksum,"
            + " installed_by, installed_on, execution_time, success from flyway_schema_history"
            + " where version = '4'"
      })
  void whatDiffersIsLeftToFlyway(String difference) {
    test.execute(difference);

    assertThat(isComplete()).isFalse();
  }

  @Test
  void aHistoryWithoutRowsIsNotCompleteForAProgramThatCannotListItsMigrations() {
    test.execute("delete from flyway_schema_history");

    boolean complete = test.database().transaction(tx -> SchemaHistory.isComplete(tx, Map.of()));

    assertThat(complete).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "alter table flyway_schema_history rename column checksum to sum",
        "alter table flyway_schema_history alter column success type text",
        "alter table flyway_schema_history alter column success drop not null\n"
            + "update flyway_schema_history set success = null"
      })
  void aHistoryOfAnotherShapeIsLeftToFlyway(String difference) {
    // One command at a time.
    difference.lines().forEach(test::execute);

    assertThat(Migrations.areComplete(test.database())).isFalse();
  }

  @Test
  void anEmptyDatabaseIsNotCompleteUntilItIsMigrated() {
    test.execute("drop schema public cascade");
    test.execute("create schema public");

    assertThat(Migrations.areComplete(test.database())).isFalse();
    Migrations.run(test.address());

    assertThat(Migrations.areComplete(test.database())).isTrue();
  }
}
