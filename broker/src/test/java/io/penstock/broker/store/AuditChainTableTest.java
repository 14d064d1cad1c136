package io.penstock.broker.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.audit.AuditRig;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the sealing asks of Postgres.
class AuditChainTableTest {
  @TempDir Path directory;

  /// A database of others may settle for less than what is sealed needs, or ask for more.
  @ParameterizedTest
  @CsvSource({"off, on", "local, local", "remote_apply, remote_apply"})
  void whatIsSealedIsDurable(String before, String then) {
    try (var rig = new AuditRig(directory.resolve("data"))) {
      var table = new AuditChainTable(rig.keys.rowMac());

      String found =
          rig.test
              .database()
              .transaction(
                  tx -> {
                    tx.query("select set_config('synchronous_commit', $1, true)", before);
                    assertThat(table.lock(tx)).isTrue();
                    return Values.text(
                        tx.one("select current_setting('synchronous_commit') as found")
                            .orElseThrow(),
                        "found");
                  });

      assertThat(found).isEqualTo(then);
    }
  }

  @Test
  void onlyAWholeUniqueConstraintIsOne() {
    try (var rig = new AuditRig(directory.resolve("data"))) {
      var table = new AuditChainTable(rig.keys.rowMac());
      assertThat(rig.test.database().transaction(table::eventsAreUnique)).isTrue();

      rig.tamper(
          "alter table audit_log drop constraint audit_log_event_id_key",
          "alter table audit_log add unique (event_id, id)");
      assertThat(rig.test.database().transaction(table::eventsAreUnique)).isFalse();
      rig.tamper("create unique index one on audit_log (event_id) where id > 5");
      assertThat(rig.test.database().transaction(table::eventsAreUnique)).isFalse();
      rig.tamper("alter table audit_log add constraint again unique (event_id)");
      assertThat(rig.test.database().transaction(table::eventsAreUnique)).isTrue();
    }
  }
}
