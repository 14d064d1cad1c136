package io.penstock.broker.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The three reports, with the fields and limits of the security concept.
class ReportsTest {
  @TempDir Path directory;
  private AuditRig rig;
  private Reports reports;

  @BeforeEach
  void start() {
    rig = new AuditRig(directory.resolve("data"));
    reports = new Reports(rig.test.database(), rig.clock);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void gdprIsWhatOneUserAccessedInNinetyDaysNewestFirst() {
    record("system.read", "alice@example.com", "too-old");
    rig.clock.pass(Duration.ofDays(1));
    record("system.read", "alice@example.com", "erp");
    record("system.read", "bob@example.com", "erp");
    rig.clock.pass(Duration.ofDays(89));
    record("gateway.approve", "alice@example.com", "press");

    Report report = reports.gdpr("alice@example.com", 90, Optional.empty(), 10);

    assertThat(report.fields()).containsExactly("timestamp", "event_type", "resource_id", "action");
    assertThat(report.rows()).extracting(row -> row.get(2)).containsExactly("press", "erp");
    assertThat(report.rows().getFirst())
        .containsExactly(rig.clock.instant(), "gateway.approve", "press", "approve");
    assertThat(report.next()).isEmpty();
  }

  @Test
  void soc2IsChangesOfPipelinesAndGatewaysInTheirTimeOldestFirst() {
    Instant from = rig.clock.instant().plusSeconds(1);
    record("gateway.update", "alice@example.com", "before");
    rig.clock.pass(Duration.ofSeconds(1));
    record("gateway.update", "alice@example.com", "first");
    record("user.create", "alice@example.com", "no change of configuration");
    rig.clock.pass(Duration.ofSeconds(1));
    record("pipeline.update", "bob@example.com", "second");
    rig.clock.pass(Duration.ofSeconds(1));
    // The concept's query has no brackets: it would show every pipeline event of all times.
    record("pipeline.update", "bob@example.com", "after");

    Report report = reports.soc2(from, rig.clock.instant(), Optional.empty(), 10);

    assertThat(report.fields()).containsExactly("timestamp", "user_email", "event_type", "changes");
    assertThat(report.rows())
        .extracting(row -> row.get(3))
        .containsExactly("{\"what\": \"first\"}", "{\"what\": \"second\"}");
  }

  @Test
  void reportsGoOnWhereAPageEnds() {
    for (int i = 0; i < 5; i++) {
      record("gateway.update", "alice@example.com", "n" + i);
    }
    Instant from = rig.clock.instant().minusSeconds(1);
    Instant to = rig.clock.instant().plusSeconds(1);

    Report first = reports.soc2(from, to, Optional.empty(), 3);
    Report second = reports.soc2(from, to, first.next(), 3);
    Report newest = reports.gdpr("alice@example.com", 1, Optional.empty(), 4);
    Report oldest = reports.gdpr("alice@example.com", 1, newest.next(), 4);

    assertThat(first.rows()).hasSize(3);
    assertThat(second.rows())
        .extracting(row -> row.get(3))
        .containsExactly("{\"what\": \"n3\"}", "{\"what\": \"n4\"}");
    assertThat(second.next()).isEmpty();
    assertThat(newest.rows()).extracting(row -> row.get(2)).containsExactly("n4", "n3", "n2", "n1");
    assertThat(oldest.rows()).extracting(row -> row.get(2)).containsExactly("n0");
  }

  @Test
  void iso27001IsWhoFailedMoreThanFiveTimesInThirtyDays() {
    for (int i = 0; i < 9; i++) {
      failure("old@example.com");
    }
    rig.clock.pass(Duration.ofDays(31));
    for (int i = 0; i < 5; i++) {
      failure("five@example.com");
    }
    for (int i = 0; i < 6; i++) {
      failure("six@example.com");
    }

    Report report = reports.iso27001(30, 10);

    assertThat(report.fields()).containsExactly("user_email", "failed_logins");
    assertThat(report.rows()).containsExactly(List.of("six@example.com", 6L));
  }

  private void record(String type, String user, String resource) {
    rig.audit.record(
        AuditEvent.of(type, "success").by(user).on(resource).changing(Map.of("what", resource)));
  }

  private void failure(String user) {
    rig.audit.record(AuditEvent.of("authentication.failure", "blocked").by(user));
  }
}
