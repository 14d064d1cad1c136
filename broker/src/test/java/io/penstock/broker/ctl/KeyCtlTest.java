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

/// `ctl keys`: what it asks and what it tells.
class KeyCtlTest {
  private static final String OLD = "jwt-0123456789abcdef";
  private static final String NEW = "jwt-fedcba9876543210";
  private static final String LOGIN =
      """
      {"token":"access-1","expires_at":"2026-11-21T12:15:00Z",
       "refresh_token":"refresh-1","session_expires_at":"2026-11-22T12:00:00Z"}
      """;

  @TempDir Path home;
  private FakeBroker broker;
  private Shell shell;

  @BeforeEach
  void start() throws Exception {
    broker = FakeBroker.start().when("POST /api/v1/auth/login", 200, LOGIN);
    shell = new Shell(home, Clock.fixed(Instant.parse("2026-11-21T12:00:00Z"), ZoneOffset.UTC));
    shell.login(broker);
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private JsonNode sent() {
    return Json.parse(broker.lastAsked().body().getBytes(StandardCharsets.UTF_8)).orElseThrow();
  }

  private void rotates(String failed) {
    broker.when(
        "POST /api/v1/keys/rotate",
        200,
        "{\"rotated\":[{\"use\":\"jwt\",\"kid\":\"%s\",\"replaced\":\"%s\"}],\"failed\":[%s]}"
            .formatted(NEW, OLD, failed));
  }

  @Test
  void listsKeysWithWhatNeedsThem() {
    broker.when(
        "GET /api/v1/keys",
        200,
        """
        [{"use":"jwt","kid":"%s","state":"verifying","created_at":"2026-11-01T00:00:00Z",
          "changed_at":"2026-11-21T11:59:00Z","needed_by":["access tokens until 2026-11-21T12:14:00Z"]},
         {"use":"jwt","kid":"%s","state":"signing","created_at":"2026-11-21T11:59:00Z","changed_at":null,"needed_by":[]}]
        """
            .formatted(OLD, NEW));

    Shell.Result plain = shell.ctl("keys");
    Shell.Result named = shell.ctl("keys", "list");
    Shell.Result json = shell.ctl("keys", "list", "--json");

    assertThat(plain.exitCode()).isZero();
    assertThat(plain.out().lines().toList()).hasSize(3);
    assertThat(plain.out())
        .contains("USE", "KID", "STATE", "NEEDED_BY", OLD, NEW, "verifying")
        .contains("access tokens until 2026-11-21T12:14:00Z");
    assertThat(named.out()).isEqualTo(plain.out());
    assertThat(Json.parse(json.out().getBytes(StandardCharsets.UTF_8)).orElseThrow()).hasSize(2);
  }

  @Test
  void rotatesOneUseAndSaysWhatReplacesWhat() {
    rotates("");

    Shell.Result result = shell.ctl("keys", "rotate", "--use", "jwt");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("rotated jwt: " + NEW + " replaces " + OLD);
    assertThat(sent()).isEqualTo(Json.object().put("use", "jwt"));
  }

  @Test
  void rotateWithoutAUseIsWrongUsage() {
    Shell.Result result = shell.ctl("keys", "rotate");

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(broker.asked()).noneMatch(it -> it.line().contains("/keys"));
  }

  @Test
  void compromisedSaysWhatEndsUntilItIsConfirmed() {
    broker.when(
        "POST /api/v1/keys/rotate",
        409,
        "{\"title\":\"confirmation-needed\",\"status\":409,"
            + "\"detail\":\"given up at once: jwt: everybody has to sign in again\"}");

    Shell.Result asked = shell.ctl("keys", "rotate", "--use", "jwt", "--compromised");
    assertThat(asked.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(asked.err()).contains("everybody has to sign in again");
    assertThat(sent()).isEqualTo(Json.object().put("use", "jwt").put("compromised", true));
  }

  @Test
  void compromisedAndConfirmedIsDone() {
    rotates("");

    Shell.Result done = shell.ctl("keys", "rotate", "--use", "jwt", "--compromised", "--yes");

    assertThat(done.exitCode()).isZero();
    assertThat(sent())
        .isEqualTo(Json.object().put("use", "jwt").put("compromised", true).put("confirm", true));
  }

  @Test
  void whatCouldNotBeCarriedOverFailsTheCommandByName() {
    rotates("\"press/erp: no secrets to carry\"");

    Shell.Result result =
        shell.ctl("keys", "rotate", "--use", "configuration", "--compromised", "--yes");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).contains("NOT deployed again: press/erp: no secrets to carry");
  }

  @Test
  void retiresAKeyByItsId() {
    broker.when("POST /api/v1/keys/retire", 204, "");

    Shell.Result result = shell.ctl("keys", "retire", "--kid", OLD);

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("retired " + OLD);
    assertThat(sent()).isEqualTo(Json.object().put("kid", OLD));
  }

  @Test
  void aKeyThatIsNeededIsNotRetiredAndTheReasonIsTold() {
    broker.when(
        "POST /api/v1/keys/retire",
        409,
        "{\"title\":\"rotation-refused\",\"status\":409,\"detail\":\""
            + OLD
            + " is needed by access tokens\"}");

    Shell.Result result = shell.ctl("keys", "retire", "--kid", OLD);

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("needed by access tokens");
  }
}
