package io.penstock.broker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BackupTablesTest {
  private static TestDatabase test;

  @BeforeAll
  static void open() {
    test = TestDatabase.create();
  }

  @AfterAll
  static void close() {
    test.close();
  }

  private static final class Kept implements BackupTables.Sink {
    private final List<String> lines = new ArrayList<>();

    @Override
    public void row(String table, String json) {
      lines.add(table + " " + json);
    }

    @Override
    public void sequence(String name, long last) {
      lines.add(name + " " + last);
    }
  }

  /// A migration that adds a table has to say here what a backup does with it.
  @Test
  void everyTableIsExportedOrLeftOutWithAReason() {
    List<String> tables = test.database().transaction(BackupTables::tables);
    var known = new ArrayList<>(BackupTables.EXPORTED);
    known.addAll(BackupTables.LEFT_OUT.keySet());

    assertThat(known).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(tables);
    assertThat(BackupTables.LEFT_OUT.values()).allSatisfy(why -> assertThat(why).isNotBlank());
  }

  @Test
  void aTableThatNobodyHasDecidedAboutStopsABackup() {
    test.execute("create table forgotten (id bigint)");
    try {
      assertThatThrownBy(() -> test.database().run(tx -> new BackupTables().export(tx, new Kept())))
          .hasMessageContaining("forgotten");
    } finally {
      test.execute("drop table forgotten");
    }
  }

  @Test
  void anExportIsOfOneMoment() {
    test.execute(
        "insert into blocks (cidr, reason, created_at, created_by) select '10.0.' || i / 256 || '.'"
            + " || i % 256 || '/32', '', now(), 'x' from generate_series(1, 1200) as i");
    var kept =
        new BackupTables.Sink() {
          private int rows;
          private boolean disturbed;

          @Override
          public void row(String table, String json) {
            if (!disturbed) {
              disturbed = true;
              test.execute("delete from blocks");
            }
            rows += table.equals("blocks") ? 1 : 0;
          }

          @Override
          public void sequence(String name, long last) {
            // Sequences are of no moment.
          }
        };

    test.database().run(tx -> new BackupTables().export(tx, kept));

    assertThat(kept.disturbed).isTrue();
    assertThat(kept.rows).isEqualTo(1200);
    assertThat(test.number("select count(*) as n from blocks")).isZero();
  }
}
