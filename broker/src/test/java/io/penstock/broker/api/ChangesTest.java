package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Role;
import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.ChangeTable;
import io.penstock.broker.store.ChangeTable.Decision;
import io.penstock.broker.store.ChangeTable.State;
import io.penstock.broker.systems.Plant;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Changes that wait for a second person, by the API, on a real Postgres.
class ChangesTest {
  private static final String CHANGES = "/api/v1/changes";
  private static final String ERP = "/api/v1/agents/plant-1/systems/erp";
  private static final String SETTINGS =
      "{\"base_url\":\"https://erp\",\"user\":\"erp\",\"allow\":[]}";
  private static final String OTHER_SETTINGS =
      "{\"base_url\":\"https://erp\",\"user\":\"someone\",\"allow\":[]}";

  private ApiRig rig;
  private Plant plant;
  private String second;
  private String engineer;
  private String copilot;

  @BeforeEach
  void start(@TempDir Path directory) {
    rig =
        new ApiRig(
            directory.resolve("data"),
            Map.of(
                "changes.require_second_person", "deploy,revoke-many",
                "changes.waiting_per_author", "3",
                "changes.revokes_alone", "2"));
    plant = rig.systems.approved("plant-1");
    second = rig.user("second@example.org", Role.ADMIN);
    engineer = rig.user("eng@example.org", Role.ENGINEER);
    copilot = rig.user("copilot@example.org", Role.COPILOT);
    json(rig.send("PUT", ERP, edit(SETTINGS).encode(), engineer), 200);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private JsonObject edit(String settings) {
    String sealed =
        new String(
            plant.seal("erp", settings, "{\"password\":\"s3cret-in-the-clear\"}"),
            StandardCharsets.UTF_8);
    return new JsonObject()
        .put("plugin", "http")
        .put("settings", new JsonObject(settings))
        .put("sealed", new JsonObject(sealed))
        .put("secret_names", new JsonArray().add("password"));
  }

  private static JsonObject json(HttpResponse<String> answer, int status) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    return new JsonObject(answer.body());
  }

  private static void assertProblem(HttpResponse<String> answer, int status, String title) {
    assertThat(json(answer, status).getString("title")).as(answer.body()).isEqualTo(title);
  }

  private static JsonObject proposal(String method, String path, JsonObject body) {
    return new JsonObject()
        .put("method", method)
        .put("path", path)
        .put("body", body.isEmpty() && method.equals("DELETE") ? null : body)
        .put("reason", "ticket 4711");
  }

  private JsonObject propose(String method, String path, JsonObject body, String by) {
    return json(rig.send("POST", CHANGES, proposal(method, path, body).encode(), by), 201);
  }

  private HttpResponse<String> approve(JsonObject change, String by) {
    return decide(change, "approve", by);
  }

  private HttpResponse<String> decide(JsonObject change, String verb, String by) {
    return rig.send(
        "POST", CHANGES + "/" + change.getString("id") + "/" + verb, "{\"comment\":\"seen\"}", by);
  }

  private JsonObject shown(JsonObject change) {
    return json(rig.send("GET", CHANGES + "/" + change.getString("id"), "", rig.admin), 200);
  }

  private long deployed() {
    return json(rig.send("GET", ERP, "", rig.admin), 200).getLong("deployed_version");
  }

  private List<AuditTable.Entry> events(String type) {
    return rig.systems.audit().stream().filter(it -> it.eventType().equals(type)).toList();
  }

  @Test
  void aDeploymentByAnAdminWaitsForAnotherOne() {
    HttpResponse<String> answer = rig.send("POST", ERP + "/deploy", "", rig.admin);

    JsonObject change = json(answer, 202);
    assertThat(answer.headers().firstValue("Location"))
        .contains(CHANGES + "/" + change.getString("id"));
    assertThat(change.getString("state")).isEqualTo("waiting");
    assertThat(change.getJsonObject("needs").getJsonArray("roles")).containsExactly("Admin");
    assertThat(deployed()).isZero();
    assertThat(rig.systems.queue.messages).isEmpty();

    assertProblem(approve(change, rig.admin), 403, "second-person-needed");
    assertProblem(approve(change, engineer), 403, "forbidden");
    assertThat(deployed()).isZero();

    JsonObject executed = json(approve(change, second), 200);

    assertThat(executed.getString("state")).isEqualTo("executed");
    assertThat(executed.getString("decided_by")).isEqualTo("second@example.org");
    assertThat(executed.getJsonObject("outcome").getLong("version")).isEqualTo(1);
    assertThat(deployed()).isEqualTo(1);
    assertProblem(approve(change, second), 409, "wrong-state");
    AuditTable.Entry event = events("system.deploy").getFirst();
    assertThat(event.user()).contains(rig.first.email());
    assertThat(event.approvedBy()).contains("second@example.org");
    assertThat(events("change.propose")).hasSize(1);
    assertThat(events("change.approve"))
        .extracting(it -> it.result().orElse(""))
        .containsExactly("denied", "success");
  }

  @Test
  void anEngineerProposesWhatOnlyAnAdminDoes() {
    assertProblem(rig.send("POST", ERP + "/deploy", "", engineer), 403, "forbidden");

    JsonObject change = propose("POST", ERP + "/deploy", new JsonObject(), engineer);

    assertThat(change.getString("reason")).isEqualTo("ticket 4711");
    JsonObject seen = shown(change);
    // The first Admin and the second one.
    assertThat(seen.getInteger("approvers")).isEqualTo(2);
    assertThat(seen.getJsonObject("request").getJsonObject("body").getLong("version")).isEqualTo(1);
    assertThat(seen.getJsonObject("diff").getJsonObject("/base_url").getString("new"))
        .isEqualTo("https://erp");
    json(approve(change, rig.admin), 200);
    assertThat(deployed()).isEqualTo(1);
  }

  @Test
  void aNewerVersionDoesNotSlipIntoAnOlderProposal() {
    JsonObject change = propose("POST", ERP + "/deploy", new JsonObject(), engineer);
    json(rig.send("PUT", ERP, edit(OTHER_SETTINGS).encode(), engineer), 200);

    json(approve(change, rig.admin), 200);

    assertThat(deployed()).isEqualTo(1);
  }

  @Test
  void copilotProposesAnEditAndSeesNoSecret() {
    JsonObject change = propose("PUT", ERP, edit(OTHER_SETTINGS), copilot);

    HttpResponse<String> seen =
        rig.send("GET", CHANGES + "/" + change.getString("id"), "", engineer);
    JsonObject diff = json(seen, 200).getJsonObject("diff");
    assertThat(diff)
        .isEqualTo(
            new JsonObject()
                .put("/user", new JsonObject().put("old", "erp").put("new", "someone")));
    assertThat(seen.body()).doesNotContain("ciphertext", "s3cret");
    String rests =
        rig.systems
            .database()
            .transaction(
                tx ->
                    new ChangeTable(rig.systems.keys.rowMac())
                        .body(tx, UUID.fromString(change.getString("id")))
                        .map(body -> new String(body.bytes(), StandardCharsets.ISO_8859_1))
                        .orElseThrow());
    assertThat(rests).doesNotContain("someone");

    JsonObject executed = json(approve(change, rig.admin), 200);

    assertThat(executed.getJsonObject("outcome").getLong("version")).isEqualTo(2);
    assertThat(shown(change).getJsonObject("diff")).isEqualTo(diff);
    assertThat(shown(change).getJsonObject("request").containsKey("body")).isFalse();
    JsonObject version = json(rig.send("GET", ERP + "/versions/2", "", rig.admin), 200);
    assertThat(version.getString("author")).isEqualTo("copilot@example.org");
  }

  @Test
  void aProposalFailsOnceSomethingElseWasDeployed() {
    json(rig.send("PUT", ERP, edit(OTHER_SETTINGS).encode(), engineer), 200);
    JsonObject one = propose("POST", ERP + "/deploy", new JsonObject().put("version", 1), engineer);
    JsonObject two = propose("POST", ERP + "/deploy", new JsonObject().put("version", 2), copilot);
    json(approve(two, rig.admin), 200);

    HttpResponse<String> answer = approve(one, rig.admin);

    assertProblem(answer, 409, "target-changed");
    assertThat(answer.body()).contains("deployed_version: expected 0, found 2");
    assertThat(deployed()).isEqualTo(2);
    assertThat(shown(one).getString("state")).isEqualTo("failed");
    assertThat(shown(one).getJsonObject("outcome").getString("title")).isEqualTo("target-changed");
    assertThat(events("change.fail")).hasSize(1);
  }

  @Test
  void anEditFailsOnceSomebodyElseEdited() {
    JsonObject change = propose("PUT", ERP, edit(OTHER_SETTINGS), copilot);
    json(rig.send("PUT", ERP, edit(SETTINGS).encode(), engineer), 200);

    HttpResponse<String> answer = approve(change, rig.admin);

    assertProblem(answer, 409, "target-changed");
    assertThat(answer.body()).contains("version: expected 1, found 2");
  }

  @Test
  void anAgentThatWasEnrolledAnewIsAnotherTarget() {
    JsonObject change = propose("PUT", ERP, edit(OTHER_SETTINGS), copilot);
    rig.systems.approved("plant-1");

    HttpResponse<String> answer = approve(change, rig.admin);

    assertProblem(answer, 409, "target-changed");
    assertThat(answer.body()).contains("generation: expected 1, found 2");
  }

  @Test
  void aRemovalWaitsToo() {
    JsonObject change = json(rig.send("DELETE", ERP, "", rig.admin), 202);

    assertThat(shown(change).getJsonObject("diff").getJsonObject("/user").getString("old"))
        .isEqualTo("erp");
    json(approve(change, second), 200);

    assertThat(json(rig.send("GET", ERP, "", rig.admin), 200).getString("state"))
        .isEqualTo("removed");
  }

  @Test
  void aRollbackIsProposedAndDone() {
    json(rig.send("PUT", ERP, edit(OTHER_SETTINGS).encode(), engineer), 200);
    JsonObject change =
        propose("POST", ERP + "/rollback", new JsonObject().put("version", 1), copilot);

    assertThat(shown(change).getJsonObject("diff").getJsonObject("/user").getString("new"))
        .isEqualTo("erp");
    JsonObject executed = json(approve(change, rig.admin), 200);

    assertThat(executed.getJsonObject("outcome").getLong("version")).isEqualTo(3);
  }

  @Test
  void whatIsOverIsNotApproved() {
    JsonObject asked =
        proposal("POST", ERP + "/deploy", new JsonObject()).put("expires_in_seconds", 60);
    JsonObject change = json(rig.send("POST", CHANGES, asked.encode(), engineer), 201);
    rig.systems.pass(Duration.ofSeconds(61));

    assertProblem(approve(change, rig.admin), 409, "wrong-state");
    rig.changes.upkeep();

    assertThat(shown(change).getString("state")).isEqualTo("expired");
    assertThat(events("change.expire")).hasSize(1);
    assertThat(deployed()).isZero();
  }

  @Test
  void itsAuthorWithdrawsAndAnotherRejects() {
    JsonObject one = propose("POST", ERP + "/deploy", new JsonObject(), engineer);
    assertProblem(decide(one, "withdraw", copilot), 403, "not-the-author");
    assertProblem(decide(one, "withdraw", rig.admin), 403, "not-the-author");

    assertThat(json(decide(one, "withdraw", engineer), 200).getString("state"))
        .isEqualTo("withdrawn");
    assertProblem(approve(one, rig.admin), 409, "wrong-state");

    JsonObject two = propose("POST", ERP + "/deploy", new JsonObject(), engineer);
    assertProblem(decide(two, "reject", engineer), 403, "forbidden");
    JsonObject rejected = json(decide(two, "reject", rig.admin), 200);
    assertThat(rejected.getString("state")).isEqualTo("rejected");
    assertThat(rejected.getString("comment")).isEqualTo("seen");
    assertThat(deployed()).isZero();
  }

  @Test
  void theSameRequestWaitsOnceAndOneAuthorHasAFewAtATime() {
    JsonObject first = propose("POST", ERP + "/deploy", new JsonObject(), engineer);
    JsonObject again = propose("POST", ERP + "/deploy", new JsonObject(), engineer);
    assertThat(again.getString("id")).isEqualTo(first.getString("id"));
    propose("DELETE", ERP, new JsonObject(), engineer);
    propose("POST", ERP + "/rollback", new JsonObject().put("version", 1), engineer);

    HttpResponse<String> answer =
        rig.send("POST", CHANGES, proposal("PUT", ERP, edit(OTHER_SETTINGS)).encode(), engineer);

    assertProblem(answer, 409, "too-many-changes");
    assertThat(answer.body()).contains("expected at most 3", "found 3");
    // Others are not in the way.
    propose("POST", ERP + "/deploy", new JsonObject(), copilot);
    json(decide(first, "withdraw", engineer), 200);
    propose("PUT", ERP, edit(OTHER_SETTINGS), engineer);
  }

  @Test
  void aProposalDoesNotOutliveItsAuthorsRights() {
    JsonObject change = propose("POST", ERP + "/deploy", new JsonObject(), engineer);
    json(rig.send("POST", "/api/v1/users/eng@example.org/disable", "", rig.admin), 200);

    assertProblem(approve(change, rig.admin), 409, "author-may-not");

    assertThat(deployed()).isZero();
    assertThat(json(decide(change, "reject", rig.admin), 200).getString("state"))
        .isEqualTo("rejected");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "author = 'second@example.org'",
        "path = '/api/v1/agents/plant-1/systems/crm/deploy'",
        "expires_at = expires_at + interval '1 year'",
        "target = jsonb_set(target, '{version}', '\"2\"')",
        "row_version = 7"
      })
  void aRowThatWasChangedBySqlIsNotCarriedOut(String change) {
    JsonObject waiting = json(rig.send("POST", ERP + "/deploy", "", rig.admin), 202);
    rig.systems.tamper("update changes set " + change);

    assertProblem(approve(waiting, second), 409, "row-tampered");
    assertProblem(approve(waiting, rig.admin), 409, "row-tampered");

    assertThat(deployed()).isZero();
    assertThat(rig.send("GET", "/api/v1/alarms", "", rig.admin).body())
        .contains("database-tampered", waiting.getString("id"));
  }

  @Test
  void theBodyOfAnotherChangeIsNotCarriedOut() {
    json(rig.send("PUT", ERP, edit(OTHER_SETTINGS).encode(), engineer), 200);
    JsonObject one = propose("POST", ERP + "/deploy", new JsonObject().put("version", 1), engineer);
    JsonObject two = propose("POST", ERP + "/deploy", new JsonObject().put("version", 2), engineer);
    rig.systems.tamper(
        "update changes set body = (select body from changes where id = '"
            + two.getString("id")
            + "') where id = '"
            + one.getString("id")
            + "'");

    assertProblem(approve(one, rig.admin), 409, "row-tampered");

    assertThat(deployed()).isZero();
  }

  @Test
  void whatTheDirectCallRefusesIsNotProposedEither() {
    var open =
        new JsonObject()
            .put("plugin", "http")
            .put("settings", new JsonObject(SETTINGS).put("password", "s3cret-in-the-clear"))
            .putNull("sealed")
            .put("secret_names", new JsonArray());
    HttpResponse<String> secret =
        rig.send("POST", CHANGES, proposal("PUT", ERP, open).encode(), copilot);
    assertProblem(secret, 400, "schema-invalid");
    assertThat(secret.body()).doesNotContain("s3cret");

    var nine = new JsonObject().put("version", 9);
    assertProblem(
        rig.send("POST", CHANGES, proposal("POST", ERP + "/deploy", nine).encode(), engineer),
        404,
        "not-found");
    assertProblem(
        rig.send("POST", ERP + "/deploy", "{\"version\":9}", rig.admin), 404, "not-found");
    assertThat(json(rig.send("GET", CHANGES, "", rig.admin), 200).getJsonArray("changes"))
        .isEmpty();
    // Trying leaves nothing behind.
    assertThat(json(rig.send("GET", ERP, "", rig.admin), 200).getLong("version")).isEqualTo(1);
    assertThat(rig.systems.postgres.number("select count(*) as n from system_versions"))
        .isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "GET,/api/v1/agents/plant-1/systems/erp",
    "POST,/api/v1/agents/plant-1/systems/erp/deploy/",
    "POST,/api/v1/agents/plant-1/systems/erp//deploy",
    "POST,/api/v1/agents/plant-1/systems/erp%2fdeploy",
    "POST,/api/v1/agents/plant-1/../plant-1/systems/erp/deploy",
    "post,/api/v1/agents/plant-1/systems/erp/deploy",
    "POST,/API/v1/agents/plant-1/systems/erp/deploy",
    "POST,/api/v1/users",
    "DELETE,/api/v1/users/second@example.org",
    "POST,/api/v1/keys/rotate",
    "POST,/api/v1/changes",
  })
  void onlyAFewThingsCanBeProposed(String method, String path) {
    HttpResponse<String> answer =
        rig.send("POST", CHANGES, proposal(method, path, new JsonObject()).encode(), rig.admin);

    assertProblem(answer, 400, "bad-request");
    assertThat(answer.body()).contains("expected");
  }

  @Test
  void whoSeesOnlySomeAgentsProposesAndApprovesOnlyForThose() {
    rig.systems.approved("plant-2");
    String elsewhere = rig.user("far@example.org", Role.ENGINEER, "agent:plant-2");
    String otherAdmin = rig.user("far-admin@example.org", Role.ADMIN, "agent:plant-2");
    JsonObject change = propose("POST", ERP + "/deploy", new JsonObject(), engineer);

    assertProblem(
        rig.send(
            "POST",
            CHANGES,
            proposal("POST", ERP + "/deploy", new JsonObject()).encode(),
            elsewhere),
        404,
        "not-found");
    assertProblem(approve(change, otherAdmin), 404, "not-found");
    assertProblem(
        rig.send("GET", CHANGES + "/" + change.getString("id"), "", elsewhere), 404, "not-found");
    assertThat(json(rig.send("GET", CHANGES, "", elsewhere), 200).getJsonArray("changes"))
        .isEmpty();
    assertThat(json(rig.send("GET", CHANGES, "", copilot), 200).getJsonArray("changes")).hasSize(1);
    assertThat(shown(change).getInteger("approvers")).isEqualTo(2);
  }

  @Test
  void afterAFewRevocationsTheNextWaits() {
    for (String agent : List.of("a-1", "a-2", "a-3", "a-4")) {
      rig.systems.approved(agent);
    }
    json(rig.send("POST", "/api/v1/agents/a-1/revoke", "", rig.admin), 200);
    json(rig.send("POST", "/api/v1/agents/a-2/revoke", "", rig.admin), 200);

    JsonObject change = json(rig.send("POST", "/api/v1/agents/a-3/revoke", "", rig.admin), 202);

    assertThat(state("a-3")).isEqualTo("approved");
    assertProblem(approve(change, rig.admin), 403, "second-person-needed");
    JsonObject executed = json(approve(change, second), 200);
    assertThat(executed.getString("state")).isEqualTo("executed");
    assertThat(state("a-3")).isEqualTo("revoked");
    AuditTable.Entry event = events("gateway.revoke").getLast();
    assertThat(event.user()).contains(rig.first.email());
    assertThat(event.approvedBy()).contains("second@example.org");
    // Somebody else has revocations of their own, and an hour later there are new ones.
    json(rig.send("POST", "/api/v1/agents/a-4/revoke", "", second), 200);
    rig.systems.pass(Duration.ofMinutes(61));
    json(rig.send("POST", "/api/v1/agents/plant-1/revoke", "", rig.admin), 200);
  }

  private String state(String agent) {
    return json(rig.send("GET", "/api/v1/agents/" + agent, "", rig.admin), 200).getString("state");
  }

  @Test
  void manyAtOnceWaitTogether() {
    var three = new JsonArray();
    for (String agent : List.of("a-1", "a-2", "a-3")) {
      rig.systems.approved(agent);
      three.add(agent);
    }
    String body = new JsonObject().put("agents", three).encode();

    JsonObject change = json(rig.send("POST", "/api/v1/agents/revoke", body, rig.admin), 202);
    json(approve(change, second), 200);

    for (Object agent : three) {
      assertThat(state(agent.toString())).isEqualTo("revoked");
    }
    JsonObject gone = new JsonObject().put("agents", new JsonArray().add("nobody").add("a-1"));
    HttpResponse<String> answer =
        rig.send("POST", "/api/v1/agents/revoke", gone.encode(), rig.admin);
    assertThat(json(answer, 200).getJsonObject("agents").getString("nobody")).isEqualTo("unknown");
    assertThat(json(answer, 200).getJsonObject("agents").getString("a-1")).isEqualTo("revoked");
  }

  @Test
  void anAgentThatWasEnrolledAnewIsNotRevokedByAnOlderProposal() {
    rig.systems.approved("a-1");
    JsonObject change =
        propose(
            "POST",
            "/api/v1/agents/revoke",
            new JsonObject().put("agents", new JsonArray().add("a-1")),
            engineer);
    rig.systems.approved("a-1");

    assertProblem(approve(change, rig.admin), 409, "target-changed");

    assertThat(state("a-1")).isEqualTo("approved");
  }

  /// A broker that is killed after the approval leaves agents that are still trusted.
  @Test
  void anApprovedRevocationIsFinishedByTheNextBroker() {
    rig.systems.approved("a-1");
    JsonObject change =
        propose(
            "POST",
            "/api/v1/agents/revoke",
            new JsonObject().put("agents", new JsonArray().add("a-1")),
            engineer);
    var table = new ChangeTable(rig.systems.keys.rowMac());
    Instant now = rig.systems.clock().instant().truncatedTo(ChronoUnit.MILLIS);
    rig.systems
        .database()
        .run(
            tx ->
                table.update(
                    tx,
                    table
                        .lock(tx, UUID.fromString(change.getString("id")))
                        .orElseThrow()
                        .decided(
                            State.APPROVED,
                            new Decision("second@example.org", now, ""),
                            Optional.empty())));
    rig.changes.upkeep();
    assertThat(state("a-1")).isEqualTo("approved");

    rig.systems.pass(Duration.ofSeconds(31));
    rig.changes.upkeep();

    assertThat(state("a-1")).isEqualTo("revoked");
    assertThat(shown(change).getString("state")).isEqualTo("executed");
    assertThat(events("gateway.revoke").getLast().approvedBy()).contains("second@example.org");
  }

  @Test
  void aWaitingChangeOutlivesTheKeyThatItRestsUnder() {
    JsonObject change = propose("PUT", ERP, edit(OTHER_SETTINGS), copilot);
    rig.systems.keys.replace(ManagedKey.KEK);
    assertThat(needsOfOlderKek()).contains("1 waiting changes");

    rig.changes.upkeep();

    assertThat(needsOfOlderKek()).doesNotContain("1 waiting changes");
    json(approve(change, rig.admin), 200);
  }

  private List<String> needsOfOlderKek() {
    return rig.systems
        .database()
        .transaction(tx -> rig.systems.systems.keyUpkeep().needsOfOlderKek(tx));
  }

  @Test
  void whatWasDecidedLongAgoGoes() {
    JsonObject change = propose("POST", ERP + "/deploy", new JsonObject(), engineer);
    json(approve(change, rig.admin), 200);

    rig.systems.pass(Duration.ofDays(91));
    rig.changes.upkeep();

    assertThat(rig.systems.postgres.number("select count(*) as n from changes")).isZero();
  }
}
