package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Role;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Cause;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AlarmRoutesTest {
  private final AlarmTable table = new AlarmTable();
  private ApiRig rig;
  private String operator;
  private String viewer;
  private String scoped;

  @BeforeAll
  void start(@TempDir Path directory) {
    rig = new ApiRig(directory.resolve("data"));
    rig.systems.approved("inside-1");
    rig.systems.approved("outside-1");
    operator = rig.user("operator@example.org", Role.OPERATOR);
    viewer = rig.user("viewer@example.org", Role.VIEWER);
    scoped = rig.user("scoped@example.org", Role.OPERATOR, "agent:inside-1");
  }

  @AfterAll
  void stop() {
    rig.close();
  }

  @BeforeEach
  void begin() {
    rig.systems.postgres.execute("truncate alarms, alarm_changes, alarm_silences restart identity");
  }

  private void raise(AlarmKind kind, String subject, String address) {
    rig.systems
        .database()
        .run(
            tx ->
                table.raise(
                    tx,
                    Cause.of(kind, subject, "a test")
                        .from(Optional.of(address).filter(it -> !it.isEmpty())),
                    now()));
  }

  private Instant now() {
    return rig.systems.clock().instant();
  }

  private JsonArray list(String query, String token) {
    HttpResponse<String> answer = rig.send("GET", "/api/v1/alarms" + query, "", token);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return new JsonArray(answer.body());
  }

  private List<String> subjects(String query, String token) {
    return list(query, token).stream()
        .map(alarm -> ((JsonObject) alarm).getString("subject"))
        .toList();
  }

  private JsonObject only(String token) {
    return list("", token).getJsonObject(0);
  }

  @Test
  void alarmsAreFilteredAndPaged() {
    raise(AlarmKind.AGENT_OFFLINE, "press-1", "");
    raise(AlarmKind.CONFIGURATION_REFUSED, "press-1/erp", "");
    raise(AlarmKind.AGENT_CLONED, "press-10", "");
    raise(AlarmKind.AGENT_OFFLINE, "press-2", "");
    rig.systems.database().run(tx -> table.clear(tx, AlarmKind.AGENT_OFFLINE, "press-2", now()));
    rig.send("POST", "/api/v1/alarms/3/acknowledge", "{\"note\":\"seen\"}", operator);

    assertThat(subjects("", viewer))
        .containsExactly("press-2", "press-10", "press-1/erp", "press-1");
    assertThat(subjects("?state=all", viewer)).hasSize(4);
    assertThat(subjects("?state=open", viewer)).containsExactly("press-1/erp", "press-1");
    assertThat(subjects("?state=acknowledged", viewer)).containsExactly("press-10");
    assertThat(subjects("?state=cleared", viewer)).containsExactly("press-2");
    assertThat(subjects("?severity=critical", viewer)).containsExactly("press-10");
    assertThat(subjects("?kind=agent-offline", viewer)).containsExactly("press-2", "press-1");
    assertThat(subjects("?subject=press-1", viewer)).containsExactly("press-1/erp", "press-1");
    assertThat(subjects("?limit=2", viewer)).containsExactly("press-2", "press-10");
    assertThat(subjects("?limit=2&before=3", viewer)).containsExactly("press-1/erp", "press-1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "?state=shut; state: expected one of all, open, acknowledged, cleared",
        "?severity=HIGH; severity: expected one of critical, high, medium, low",
        "?before=x; before: expected a whole number from 1 to 9223372036854775807",
        "?limit=0; limit: expected a whole number from 1 to 1000"
      })
  void aFilterThatIsNoneIsRefused(String query, String detail) {
    HttpResponse<String> answer = rig.send("GET", "/api/v1/alarms" + query, "", viewer);

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(ApiRig.problem(answer).getString("detail")).isEqualTo(detail);
  }

  @Test
  void anAlarmSaysWhatItIsAndWhatToDo() {
    raise(AlarmKind.TOKEN_REUSED, "00ff", "203.0.113.45");

    JsonObject alarm = only(viewer);

    assertThat(alarm.getString("title")).isEqualTo("An enrollment token was used twice");
    assertThat(alarm.getString("severity")).isEqualTo("high");
    assertThat(alarm.getString("state")).isEqualTo("open");
    assertThat(alarm.getString("address")).isEqualTo("203.0.113.45");
    assertThat(alarm.getBoolean("clears_itself")).isFalse();
    assertThat(alarm.getBoolean("silenced")).isFalse();
    assertThat(alarm.getString("next")).isEqualTo(AlarmKind.TOKEN_REUSED.next());
    assertThat(
            new JsonObject(
                rig.send("GET", "/api/v1/alarms/" + alarm.getLong("id"), "", viewer).body()))
        .isEqualTo(alarm);
  }

  // What can be done.

  private JsonObject action(String name, String token) {
    return only(token).getJsonArray("actions").stream()
        .map(JsonObject.class::cast)
        .filter(action -> action.getString("name").equals(name))
        .findFirst()
        .orElseThrow();
  }

  /// As the console does when somebody presses the button.
  private HttpResponse<String> press(JsonObject action, String token) {
    JsonObject body = action.getJsonObject("body");
    return rig.send(
        action.getString("method"),
        action.getString("path"),
        body == null ? "" : body.encode(),
        token);
  }

  @Test
  void anAddressIsBlockedFromItsAlarm() {
    raise(AlarmKind.SIGN_IN_FAILURES_OF_ADDRESS, "address 203.0.113.45", "203.0.113.45");
    JsonObject action = action("block-address", rig.admin);
    assertThat(action.getBoolean("allowed")).isTrue();

    assertThat(press(action, rig.admin).statusCode()).isEqualTo(201);

    JsonArray blocks = new JsonArray(rig.send("GET", "/api/v1/blocks", "", rig.admin).body());
    assertThat(blocks.getJsonObject(0).getString("cidr")).isEqualTo("203.0.113.45/32");
    assertThat(blocks.getJsonObject(0).getString("reason"))
        .isEqualTo("alarm 1: sign-in-failures-of-address");
  }

  @Test
  void aUserIsDisabledFromTheirAlarm() {
    rig.user("eve@example.org", Role.VIEWER);
    raise(AlarmKind.SIGN_IN_AFTER_FAILURES, "user eve@example.org", "");

    assertThat(press(action("disable-user", rig.admin), rig.admin).statusCode()).isLessThan(300);

    JsonObject user =
        new JsonObject(rig.send("GET", "/api/v1/users/eve@example.org", "", rig.admin).body());
    assertThat(user.getBoolean("disabled")).isTrue();
  }

  @Test
  void anAgentIsRevokedFromItsAlarm() {
    rig.systems.approved("copied-1");
    raise(AlarmKind.AGENT_CLONED, "copied-1", "203.0.113.45");
    assertThat(action("release-agent", rig.admin).getJsonArray("asks"))
        .containsExactly("fingerprint");

    assertThat(press(action("revoke-agent", rig.admin), rig.admin).statusCode()).isLessThan(300);

    JsonObject agent =
        new JsonObject(rig.send("GET", "/api/v1/agents/copied-1", "", rig.admin).body());
    assertThat(agent.getString("state")).isEqualTo("revoked");
  }

  @Test
  void whoMayNotIsToldSoAndRefusedAllTheSame() {
    raise(AlarmKind.AGENT_CLONED, "inside-1", "203.0.113.45");
    for (String name : List.of("revoke-agent", "block-address", "release-agent")) {
      JsonObject action = action(name, operator);

      assertThat(action.getBoolean("allowed")).as(name).isFalse();
      assertThat(press(action, operator).statusCode()).as(name).isEqualTo(403);
    }
  }

  @Test
  void anAlarmAboutAnOfflineAgentDoesNotAskToBlockIt() {
    raise(AlarmKind.AGENT_OFFLINE, "inside-1", "203.0.113.45");

    assertThat(only(rig.admin).getJsonArray("actions")).isEmpty();
  }

  @Test
  void aNameThatNoPathHoldsHasNoAction() {
    raise(AlarmKind.SIGN_IN_FAILURES_OF_ACCOUNT, "user ../admin@example.org", "");

    assertThat(only(rig.admin).getJsonArray("actions")).isEmpty();
  }

  // Acknowledging.

  @Test
  void anOperatorAcknowledgesOnceWithANote() {
    raise(AlarmKind.AGENT_OFFLINE, "press-1", "");
    String path = "/api/v1/alarms/1/acknowledge";

    HttpResponse<String> answer = rig.send("POST", path, "{\"note\":\"moved\"}", operator);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    JsonObject alarm = new JsonObject(answer.body());
    assertThat(alarm.getString("state")).isEqualTo("acknowledged");
    assertThat(alarm.getString("note")).isEqualTo("moved");
    assertThat(alarm.getString("acknowledged_by")).isEqualTo("operator@example.org");
    assertThat(rig.send("POST", path, "{}", operator).statusCode()).isEqualTo(409);
    assertThat(rig.send("POST", path, "{}", viewer).statusCode()).isEqualTo(403);
    assertThat(rig.send("POST", path, "{\"comment\":\"x\"}", operator).statusCode()).isEqualTo(400);
    assertThat(rig.send("POST", "/api/v1/alarms/99/acknowledge", "{}", operator).statusCode())
        .isEqualTo(404);
    assertThat(
            rig.send(
                    "POST", path, new JsonObject().put("note", "x".repeat(1001)).encode(), operator)
                .statusCode())
        .isEqualTo(400);
  }

  // Silences.

  private HttpResponse<String> silence(JsonObject body, String token) {
    return rig.send("POST", "/api/v1/silences", body.encode(), token);
  }

  private JsonObject silenceOf(String subject) {
    return new JsonObject()
        .put("subject", subject)
        .put("until", now().plus(Duration.ofHours(2)).toString())
        .put("reason", "moved to hall 7");
  }

  @Test
  void aSilenceShowsOnItsAlarmsUntilItIsTakenAway() {
    raise(AlarmKind.AGENT_OFFLINE, "press-1", "");
    HttpResponse<String> made = silence(silenceOf("press-1"), operator);
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    JsonObject silence = new JsonObject(made.body());
    assertThat(silence.getString("created_by")).isEqualTo("operator@example.org");
    assertThat(only(viewer).getBoolean("silenced")).isTrue();
    assertThat(new JsonArray(rig.send("GET", "/api/v1/silences", "", viewer).body())).hasSize(1);

    String path = "/api/v1/silences/" + silence.getLong("id");
    assertThat(rig.send("DELETE", path, "", viewer).statusCode()).isEqualTo(403);
    assertThat(rig.send("DELETE", path, "", operator).statusCode()).isEqualTo(204);
    assertThat(rig.send("DELETE", path, "", operator).statusCode()).isEqualTo(404);
    assertThat(only(viewer).getBoolean("silenced")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"until\":\"2026-11-01T13:00:00Z\",\"reason\":\"r\"}",
        "{\"subject\":\"press-1\",\"until\":\"tomorrow\",\"reason\":\"r\"}",
        "{\"subject\":\"press-1\",\"until\":\"2001-01-01T00:00:00Z\",\"reason\":\"r\"}",
        "{\"subject\":\"press-1\",\"until\":\"2101-01-01T00:00:00Z\",\"reason\":\"r\"}",
        "{\"subject\":\"press-1\",\"until\":\"+1000000000-12-31T23:59:59Z\",\"reason\":\"r\"}",
        "{\"kind\":\"no-such-kind\",\"until\":\"2026-11-01T13:00:00Z\",\"reason\":\"r\"}",
        "{\"subject\":\"press-1\",\"until\":\"2026-11-01T13:00:00Z\"}"
      })
  void aSilenceWithoutEndReasonOrSubjectIsRefused(String body) {
    HttpResponse<String> answer = rig.send("POST", "/api/v1/silences", body, operator);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
  }

  @Test
  void whoseScopeIsOneAgentSilencesThatOneOnly() {
    raise(AlarmKind.AGENT_OFFLINE, "outside-1", "");
    raise(AlarmKind.AGENT_OFFLINE, "inside-1", "");
    assertThat(silence(silenceOf("outside-1"), operator).statusCode()).isEqualTo(201);

    assertThat(silence(silenceOf("inside-1/erp"), scoped).statusCode()).isEqualTo(201);
    assertThat(silence(silenceOf("outside-1"), scoped).statusCode()).isEqualTo(400);
    JsonObject everything = silenceOf("x").put("kind", "agent-offline");
    everything.remove("subject");
    assertThat(silence(everything, scoped).statusCode()).isEqualTo(400);
    assertThat(subjects("", scoped)).containsExactly("inside-1");
    assertThat(new JsonArray(rig.send("GET", "/api/v1/silences", "", scoped).body())).hasSize(1);
    assertThat(rig.send("DELETE", "/api/v1/silences/1", "", scoped).statusCode()).isEqualTo(404);
    assertThat(rig.send("GET", "/api/v1/alarms/1", "", scoped).statusCode()).isEqualTo(404);
    assertThat(rig.send("GET", "/api/v1/alarms/2", "", scoped).statusCode()).isEqualTo(200);
  }

  @Test
  void theCatalogueIsInTheApi() {
    JsonObject answer = new JsonObject(rig.send("GET", "/api/v1/alarms/kinds", "", viewer).body());

    assertThat(answer.containsKey("looked_at")).isTrue();
    assertThat(answer.getJsonArray("kinds")).hasSize(AlarmKind.values().length);
    assertThat(answer.getJsonArray("kinds").getJsonObject(0))
        .isEqualTo(
            new JsonObject()
                .put("code", "agent-offline")
                .put("severity", "high")
                .put("about", "agent")
                .put("clears_itself", true)
                .put("title", "An agent is offline")
                .put("next", AlarmKind.AGENT_OFFLINE.next()));
  }
}
