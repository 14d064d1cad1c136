package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AuditTable.Entry;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What stands in the audit trail one by one, and what is counted, within one moment.
class RefusalLogTest {
  @TempDir Path directory;
  private AccessRig rig;
  private RefusalLog log;

  @BeforeEach
  void start() {
    rig = new AccessRig(directory.resolve("data"));
    log = rig.refusals();
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private static AuditEvent from(String address, String reason) {
    return AuditEvent.of("authentication.failure", "denied")
        .because(reason)
        .from(Optional.of(address), Optional.empty(), Optional.empty());
  }

  private List<Entry> written(String reason) {
    return rig.audited("authentication.failure").stream()
        .filter(entry -> entry.reason().filter(reason::equals).isPresent())
        .toList();
  }

  @Test
  void tenOfOneSourceAreWrittenAndTheOthersCounted() {
    for (int i = 0; i < 25; i++) {
      log.ofSignIn(from("2001:db8:1:2::" + i, "wrong"));
    }
    log.ofSignIn(from("203.0.113.1", "wrong"));

    log.flush();

    assertThat(written("wrong")).hasSize(11);
    assertThat(written("counted"))
        .singleElement()
        .satisfies(
            entry -> {
              assertThat(entry.changes().get("count")).hasToString("15");
              assertThat(entry.changes().get("source")).asString().endsWith("/64");
              assertThat(entry.ipAddress()).isPresent();
            });
  }

  @Test
  void aFloodOfBadTokensDoesNotHideGuesses() {
    for (int i = 0; i < 200; i++) {
      log.ofToken(from("203.0.113." + i, "token"));
    }
    log.ofSignIn(from("203.0.113.1", "wrong"));
    log.ofSignIn(from("198.51.100.1", "wrong"));

    assertThat(written("token")).hasSize(50);
    assertThat(written("wrong")).hasSize(2);
  }
}
