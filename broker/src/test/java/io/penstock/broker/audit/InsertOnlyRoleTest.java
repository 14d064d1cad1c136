package io.penstock.broker.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.store.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The trail cannot be rewritten by who may write into the database: by triggers everywhere, and by
/// the rights that `docs/operating.md` gives.
class InsertOnlyRoleTest {
  private static final String ROLE = "insert_only_broker";

  @TempDir Path directory;
  private AuditRig rig;

  @BeforeEach
  void start() {
    rig = AuditRig.keeping(directory.resolve("data"), Duration.ofDays(30));
    rig.sealed(2);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "update audit_log set result = 'fine'",
        "delete from audit_log where id = 1",
        "truncate audit_log",
        "update audit_chain set kind = 'broker'",
        "delete from audit_chain where position = 1",
        "truncate audit_chain",
        "update audit_checkpoints set number = 9",
        "delete from audit_checkpoints",
        "truncate audit_checkpoints"
      })
  void triggersRefuse(String statement) {
    assertThatThrownBy(() -> rig.test.execute(statement)).hasMessageContaining("is append-only");
  }

  @Test
  void pruningNeedsACheckpoint() {
    rig.record(1);
    rig.proof.seal();

    assertThatThrownBy(() -> rig.test.number("select audit_prune(3, 100) as n"))
        .hasMessageContaining("no checkpoint covers position 3");
    assertThat(rig.verify().bad()).isEmpty();
  }

  @Test
  void pruningRefusesWhatIsYoung() {
    rig.test.execute(
        "create or replace function audit_prune_age() returns interval language sql stable as"
            + " $$ select now() - timestamptz '2026-11-01 12:00:00Z' $$");

    assertThatThrownBy(() -> rig.test.number("select audit_prune(2, 100) as n"))
        .hasMessageContaining("a record younger than");
    assertThat(rig.verify().bad()).isEmpty();
  }

  /// Who may add entries may add one in a place that was pruned, about any record.
  @Test
  void aMadeUpEntryTakesNothingYoungAway() {
    rig.clock.pass(Duration.ofDays(31));
    rig.sealed(3);
    rig.pruned();
    assertThat(rig.verify().checkpoint().orElseThrow().beginsAfter()).isEqualTo(2);
    rig.test.execute(
        "create or replace function audit_prune_age() returns interval language sql stable as"
            + " $$ select now() - timestamptz '2026-11-20 12:00:00Z' $$");
    rig.test.execute(
        "insert into audit_chain values (1, 1000000, 'foreign', sha256('x'), sha256('x'))");

    assertThatThrownBy(() -> rig.test.number("select audit_prune(1, 1) as n"))
        .hasMessageContaining("a record younger than");
    assertThat(rig.test.number("select count(*) as n from audit_log")).isEqualTo(4);
  }

  @Test
  void pruningLooksAtItsOwnTables() {
    rig.record(1);
    rig.proof.seal();

    assertThatThrownBy(
            () ->
                rig.test
                    .database()
                    .run(
                        tx -> {
                          TestDatabase.execute(
                              tx,
                              "create temporary table audit_checkpoints as select 9 as position");
                          TestDatabase.execute(tx, "select audit_prune(3, 100)");
                        }))
        .hasMessageContaining("no checkpoint covers position 3");
  }

  @Test
  void theRightsOfTheManualAreEnoughToServeAndNotToRewrite() throws Exception {
    rig.test.execute("create role " + ROLE + " login password 'only-in-this-test'");
    rig.test.execute("grant all on all tables in schema public to " + ROLE);
    for (String statement : manual()) {
      rig.test.execute(statement);
    }
    rig.as(ROLE, "only-in-this-test");

    rig.sealed(3);
    rig.clock.pass(Duration.ofDays(20));
    rig.sealed(1);
    rig.clock.pass(Duration.ofDays(15));
    rig.pruned();

    assertThat(rig.verify().bad()).isEmpty();
    assertThat(rig.verify().checkpoint().orElseThrow().beginsAfter()).isEqualTo(5);
    for (String table : List.of("audit_log", "audit_chain", "audit_checkpoints")) {
      assertDenied("update " + table + " set ctid = ctid");
      assertDenied("delete from " + table);
      assertDenied("truncate " + table);
      assertNotOwner("drop table " + table + " cascade");
      assertNotOwner("alter table " + table + " disable trigger all");
    }
    assertNotOwner("drop function audit_prune(bigint, bigint)");
    assertDenied("select setval('audit_log_id_seq', 1)");
  }

  private void assertDenied(String statement) {
    assertThatThrownBy(() -> rig.execute(statement))
        .as(statement)
        .hasMessageMatching("(?s).*(permission denied|cannot assign to system column).*");
  }

  private void assertNotOwner(String statement) {
    assertThatThrownBy(() -> rig.execute(statement))
        .as(statement)
        .hasMessageContaining("must be owner");
  }

  /// Statement by statement, for this test's role and database.
  private List<String> manual() throws IOException {
    String page = Files.readString(TestDatabase.repositoryRoot().resolve("docs/operating.md"));
    String section = page.substring(page.indexOf("## An insert-only audit trail"));
    int begin = section.indexOf("```sql") + "```sql".length();
    return section
        .substring(begin, section.indexOf("```", begin))
        .replaceAll("\\bpenstock\\b", ROLE)
        .replace("database " + ROLE, "database " + rig.test.address().database())
        .lines()
        .filter(line -> !line.isBlank())
        .map(line -> line.replace("owner to postgres", "owner to current_user"))
        .toList();
  }
}
