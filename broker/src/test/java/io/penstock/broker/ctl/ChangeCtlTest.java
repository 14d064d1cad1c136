package io.penstock.broker.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `ctl changes`, and what `ctl` tells of a call that waits for a second person.
class ChangeCtlTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final String LOGIN =
      """
      {"token":"access-1","expires_at":"2026-11-21T12:15:00Z",
       "refresh_token":"refresh-1","session_expires_at":"2026-11-22T12:00:00Z"}
      """;
  private static final String ERP = "/api/v1/agents/plant-1/systems/erp";
  private static final String ID = "6f1c0a52-0000-4000-8000-000000000001";
  private static final String CHANGE = "/api/v1/changes/" + ID;

  @TempDir Path home;
  private FakeBroker broker;
  private Shell shell;

  @BeforeEach
  void start() throws Exception {
    shell = new Shell(home, Clock.fixed(NOW, ZoneOffset.UTC));
    broker = FakeBroker.start();
    broker.when("POST /api/v1/auth/login", 200, LOGIN);
    shell.login(broker);
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private static String change(String state, String more) {
    return """
    {"id":"%s","kind":"system.deploy","state":"%s","agents":["plant-1"],
     "request":{"method":"POST","path":"%s/deploy","body_sha256":"x"},
     "target":{"version":"3"},"reason":"","author":"me@example.org",
     "created_at":"2026-11-21T12:00:00Z","expires_at":"2026-11-22T12:00:00Z",
     "needs":{"permissions":["changes:approve","systems:deploy"],"roles":["Admin"]}%s}
    """
        .formatted(ID, state, ERP, more);
  }

  private JsonNode sent() {
    return Json.parse(broker.lastAsked().body().getBytes(StandardCharsets.UTF_8)).orElseThrow();
  }

  @Test
  void aDeploymentThatWaitsSaysForWhom() {
    broker.when("POST " + ERP + "/deploy", 202, change("waiting", ""));

    Shell.Result result = shell.ctl("system", "deploy", "plant-1", "erp");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out())
        .contains(
            "not done yet: change "
                + ID
                + " waits until 2026-11-22T12:00:00Z for another Admin to approve it",
            "penstock ctl changes approve " + ID);
  }

  @Test
  void withWaitItGoesOnOnceSomebodyAgreed() {
    broker
        .when("POST " + ERP + "/deploy", 202, change("waiting", ""))
        .when("GET " + CHANGE, 200, change("waiting", ""))
        .when("GET " + CHANGE, 200, change("executed", ",\"outcome\":{\"version\":3}"))
        .when("GET " + ERP + "/versions/3", 200, "{\"version\":3,\"state\":\"applied\"}");

    Shell.Result result = shell.ctl("system", "deploy", "plant-1", "erp", "--wait", "20");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.err()).contains("for another Admin");
    assertThat(result.out()).contains("plant-1 has applied version 3 of erp");
  }

  @Test
  void withWaitANoIsAFailure() {
    broker
        .when("POST " + ERP + "/deploy", 202, change("waiting", ""))
        .when(
            "GET " + CHANGE,
            200,
            change("rejected", ",\"decided_by\":\"you@example.org\",\"comment\":\"not today\""));

    Shell.Result result = shell.ctl("system", "deploy", "plant-1", "erp", "--wait", "20");

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err()).contains("is rejected (you@example.org): not today");
  }

  @Test
  void withWaitSilenceIsStillWaiting() {
    broker
        .when("POST " + ERP + "/deploy", 202, change("waiting", ""))
        .when("GET " + CHANGE, 200, change("waiting", ""));

    Shell.Result result = shell.ctl("system", "deploy", "plant-1", "erp", "--wait", "0");

    assertThat(result.exitCode()).isEqualTo(5);
  }

  @Test
  void aDeploymentIsProposedWithItsReason() {
    broker.when("POST /api/v1/changes", 201, change("waiting", ""));

    Shell.Result result =
        shell.ctl(
            "system", "deploy", "plant-1", "erp", "--version", "3", "--propose", "ticket 4711");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(sent().path("method").asText()).isEqualTo("POST");
    assertThat(sent().path("path").asText()).isEqualTo(ERP + "/deploy");
    assertThat(sent().path("reason").asText()).isEqualTo("ticket 4711");
    assertThat(sent().path("body").path("version").asLong()).isEqualTo(3);
  }

  @Test
  void aChangeIsShownWithWhatItWouldChange() {
    broker.when(
        "GET " + CHANGE,
        200,
        change(
            "waiting",
            ",\"outcome\":null,\"approvers\":1,"
                + "\"diff\":{\"/user\":{\"old\":\"erp\",\"new\":\"someone\"}}"));

    Shell.Result result = shell.ctl("changes", "show", ID);

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out()).contains("SETTING", "/user", "\"erp\"", "\"someone\"", "approvers");
  }

  @Test
  void changesAreDecidedWithAComment() {
    broker
        .when("POST " + CHANGE + "/approve", 200, change("executed", ""))
        .when("POST " + CHANGE + "/reject", 200, change("rejected", ""))
        .when("POST " + CHANGE + "/withdraw", 200, change("withdrawn", ""));

    assertThat(shell.ctl("changes", "approve", ID, "--comment", "seen").out())
        .contains("approved change " + ID);
    assertThat(sent().path("comment").asText()).isEqualTo("seen");
    assertThat(shell.ctl("changes", "reject", ID).out()).contains("rejected change " + ID);
    assertThat(shell.ctl("changes", "withdraw", ID).out()).contains("withdrew change " + ID);
  }

  @Test
  void whatWaitsIsListedFirst() {
    broker.when("GET /api/v1/changes?state=waiting", 200, "{\"changes\":[]}");

    Shell.Result result = shell.ctl("changes");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out()).contains("none");
  }

  @Test
  void severalAgentsAreRevokedInOneCall() {
    broker.when(
        "POST /api/v1/agents/revoke",
        200,
        "{\"agents\":{\"plant-1\":\"revoked\",\"plant-2\":\"revoked\"}}");

    Shell.Result result = shell.ctl("agents", "revoke", "plant-1", "plant-2");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out()).contains("revoked plant-1, plant-2");
    assertThat(sent().path("agents").size()).isEqualTo(2);
  }

  @Test
  void aRevocationThatWaitsSaysForWhom() {
    broker.when("POST /api/v1/agents/plant-1/revoke", 202, change("waiting", ""));

    assertThat(shell.ctl("agents", "revoke", "plant-1").out()).contains("for another Admin");
  }
}
