package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.AccessNews;
import io.penstock.broker.access.AccessTokens;
import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Accounts.FirstAdmin;
import io.penstock.broker.access.Blocks;
import io.penstock.broker.access.Passwords;
import io.penstock.broker.access.RequestLimits;
import io.penstock.broker.access.Role;
import io.penstock.broker.access.ServiceAccounts;
import io.penstock.broker.agents.EnrollmentTokens;
import io.penstock.broker.agents.Gateways;
import io.penstock.broker.alarms.Alarms;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditProof;
import io.penstock.broker.backup.Backups;
import io.penstock.broker.changes.Changes;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.Networks;
import io.penstock.broker.delivery.Delivery;
import io.penstock.broker.gateways.GatewayService;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.ServiceAccountTable;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.systems.Plant;
import io.penstock.broker.systems.SystemsRig;
import io.penstock.codec.schema.PluginSchema;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.VerifyingKey;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Systems as the API shows them, on a real Postgres, spoken to by a real HTTP client.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SystemRoutesTest {
  private static final String SETTINGS =
      "{\"base_url\":\"https://erp\",\"user\":\"erp\",\"allow\":[]}";
  private static final String PASSWORD = "correct horse 42";

  private final HttpClient client = HttpClient.newHttpClient();
  private SystemsRig rig;
  private Plant plant;
  private HttpServer server;
  private String admin;
  private String engineer;
  private String viewer;

  @BeforeAll
  void start(@TempDir Path directory) {
    rig = new SystemsRig(directory.resolve("data"));
    plant = rig.approved("plant-1");
    Database database = rig.database();
    var random = new SecureRandom();
    BrokerConfig config =
        BrokerConfig.load(Optional.empty(), Map.of(), Map.of("access.logins_per_source", "1000"));
    var audit = new Audit(database, rig.keys.rowMac(), rig.clock());
    var news = new AccessNews();
    var accessTokens = new AccessTokens(rig.postgres.vertx(), rig.keys::jwtKeys);
    var accounts =
        new Accounts(
            database,
            new UserTable(rig.keys.rowMac()),
            audit,
            new Passwords(random),
            accessTokens,
            news,
            config.access(),
            random,
            rig.clock());
    rig.postgres.execute("truncate users cascade");
    FirstAdmin first = accounts.createFirstAdmin().orElseThrow();
    var delivery =
        new Delivery(
            new Delivery.Surroundings(
                database,
                new MessageTable(rig.keys.rowMac()),
                rig.systems.documents(),
                rig.agents().enrollments(),
                rig.keys::sign,
                audit,
                rig.clock()));
    Gateways gateways =
        rig.agents()
            .gateways(
                new Gateways.Settings(
                    "https://localhost:8443",
                    config.gateways().plainBearer(),
                    config.gateways().tokenTtl()),
                accessTokens);
    var gatewayService =
        new GatewayService(
            database,
            rig.systems.documents(),
            gateways,
            rig.gateways,
            delivery.gatewayReceipts(),
            rig.keys,
            rig.clock());
    var watched = new Watched(database, rig.systems);
    var api =
        new Api(
            rig.postgres.vertx(),
            new Api.Features(
                database,
                accounts,
                Optional.empty(),
                new ServiceAccounts(
                    database,
                    new ServiceAccountTable(rig.keys.rowMac()),
                    audit,
                    accessTokens,
                    accounts,
                    news,
                    rig.clock()),
                new RequestLimits(config.access(), System::nanoTime),
                new Blocks(
                    database,
                    audit,
                    news,
                    Networks.of(List.of()),
                    Networks.of(List.of()),
                    rig.clock()),
                new EnrollmentTokens(
                    database,
                    audit,
                    rig.keys.enrollRoot(),
                    () ->
                        new EnrollmentTokens.Pin(
                            rig.keys.rootSha256(), "https://localhost:8443", Optional.empty()),
                    random),
                rig.agents().operations(),
                gateways,
                gatewayService,
                new NoMessages(),
                rig.systems,
                new Changes(
                    new Changes.Surroundings(
                        database,
                        rig.keys,
                        rig.systems,
                        rig.agents().operations(),
                        accounts,
                        audit,
                        news,
                        config.changes(),
                        rig.clock())),
                new NoKeys(),
                audit,
                new AuditProof(
                    new AuditProof.Surroundings(
                        database, rig.keys, rig.data, audit, Optional.empty(), rig.clock())),
                new Alarms(
                        new Alarms.Surroundings(
                            rig.postgres.vertx(),
                            database,
                            audit,
                            accounts,
                            rig.keys,
                            List.of(),
                            directory,
                            "broker-1",
                            "https://localhost:8443",
                            config.alarms(),
                            rig.clock()))
                    .operations(),
                new Backups(database, rig.keys, rig.data, audit, new SecureRandom(), rig.clock()),
                watched.instruments,
                watched.live,
                Duration.ofDays(90),
                rig.clock()));
    server =
        rig.postgres
            .vertx()
            .createHttpServer()
            .requestHandler(api.router())
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
    admin = token(first.email(), first.password());
    engineer = newUser("eng@example.org", Role.ENGINEER);
    viewer = newUser("view@example.org", Role.VIEWER);
  }

  @AfterAll
  void stop() {
    rig.close();
  }

  private String newUser(String email, Role role) {
    var body =
        new JsonObject().put("email", email).put("role", role.text()).put("password", PASSWORD);
    assertThat(send("POST", "/api/v1/users", body.encode(), admin).statusCode()).isEqualTo(201);
    return token(email, PASSWORD);
  }

  private String token(String email, String password) {
    var body = new JsonObject().put("email", email).put("password", password);
    return json(send("POST", "/api/v1/auth/login", body.encode(), "")).getString("token");
  }

  private static JsonObject json(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return new JsonObject(answer.body());
  }

  private HttpResponse<String> send(String method, String path, String body, String bearer) {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.actualPort() + path))
            .method(method, BodyPublishers.ofString(body));
    if (!bearer.isEmpty()) {
      request.header("Authorization", "Bearer " + bearer);
    }
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (java.io.IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String path(String system) {
    return "/api/v1/agents/plant-1/systems/" + system;
  }

  private JsonObject edit(String system) {
    return new JsonObject()
        .put("plugin", "http")
        .put("settings", new JsonObject(SETTINGS))
        .put(
            "sealed",
            new JsonObject(
                new String(
                    plant.seal(system, SETTINGS, "{\"password\":\"s3cret-in-the-clear\"}"),
                    java.nio.charset.StandardCharsets.UTF_8)))
        .put("secret_names", new JsonArray().add("password"));
  }

  private HttpResponse<String> put(String system, JsonObject edit) {
    return send("PUT", path(system), edit.encode(), engineer);
  }

  private void assertProblem(HttpResponse<String> answer, int status, String title) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(new JsonObject(answer.body()).getString("title")).isEqualTo(title);
  }

  @Test
  void aSystemIsPutDeployedShownAndRemoved() {
    JsonObject made = json(put("erp", edit("erp")));
    assertThat(made.getInteger("version")).isEqualTo(1);
    assertThat(made.getString("state")).isEqualTo("sealed");
    assertThat(made.getString("header_sha256")).hasSize(43);

    JsonObject queued = json(send("POST", path("erp") + "/deploy", "", admin));
    assertThat(queued.getString("state")).isEqualTo("buffered");
    assertThat(queued.getLong("sequence")).isPositive();

    JsonObject shown = json(send("GET", path("erp"), "", viewer));
    assertThat(shown.getJsonObject("settings")).isEqualTo(new JsonObject(SETTINGS));
    assertThat(shown.getJsonArray("secret_names")).isEqualTo(new JsonArray().add("password"));
    assertThat(shown.getInteger("deployed_version")).isEqualTo(1);
    assertThat(shown.getBoolean("drift")).isTrue();
    assertThat(shown.getValue("last_receipt")).isNull();

    JsonObject agent = json(send("GET", "/api/v1/agents/plant-1", "", viewer));
    assertThat(agent.getLong("config_version")).isPositive();
    assertThat(agent.getLong("applied_version")).isLessThan(agent.getLong("config_version"));

    JsonObject second =
        new JsonObject()
            .put("plugin", "http")
            .put("settings", new JsonObject(SETTINGS).put("idle_ms", 5))
            .put("carry_secrets", true)
            .put("expected_version", 1);
    assertThat(json(put("erp", second)).getInteger("version")).isEqualTo(2);
    assertThat(json(send("GET", path("erp") + "/diff?from=1&to=2", "", viewer)))
        .isEqualTo(new JsonObject("{\"from\":1,\"to\":2,\"changes\":{\"/idle_ms\":{\"new\":5}}}"));
    assertThat(
            json(send("POST", path("erp") + "/rollback", "{\"version\":1}", engineer))
                .getInteger("version"))
        .isEqualTo(3);
    JsonArray versions =
        json(send("GET", path("erp") + "/versions", "", viewer)).getJsonArray("versions");
    assertThat(versions.size()).isEqualTo(3);
    assertThat(json(send("GET", path("erp") + "/versions/2", "", viewer)).getJsonObject("settings"))
        .isEqualTo(new JsonObject(SETTINGS).put("idle_ms", 5));
    assertThat(json(send("DELETE", path("erp"), "", admin)).getString("state"))
        .isEqualTo("removed");

    String events = send("GET", "/api/v1/audit?event_type=system.*&limit=1000", "", admin).body();
    assertThat(events)
        .contains("system.create", "system.deploy", "system.update", "system.rollback")
        .contains("system.delete", "/idle_ms", "plant-1/erp")
        .doesNotContain("s3cret-in-the-clear");
  }

  @Test
  void whoMayDoWhat() {
    json(put("rights", edit("rights")));

    assertThat(send("PUT", path("rights"), edit("rights").encode(), viewer).statusCode())
        .isEqualTo(403);
    for (String verb : List.of("/rollback", "/test")) {
      assertThat(send("POST", path("rights") + verb, "{\"version\":1}", viewer).statusCode())
          .isEqualTo(403);
    }
    assertThat(send("POST", path("rights") + "/deploy", "", engineer).body())
        .contains("systems:deploy");
    assertThat(send("DELETE", path("rights"), "", engineer).body()).contains("systems:delete");
    assertThat(send("GET", path("rights"), "", "").statusCode()).isEqualTo(401);
  }

  @Test
  void sealedBytesAreForEngineersAndAdminsAndTheirReadingIsAudited() {
    JsonObject edit = edit("sealed");
    json(put("sealed", edit));
    String sealedPath = path("sealed") + "/versions/1/sealed";

    HttpResponse<String> denied = send("GET", sealedPath, "", viewer);
    JsonObject read = json(send("GET", sealedPath, "", engineer));

    assertThat(denied.statusCode()).isEqualTo(403);
    assertThat(denied.body()).contains("systems:read-sealed");
    assertThat(read.getJsonObject("sealed")).isEqualTo(edit.getJsonObject("sealed"));
    assertThat(read.getString("settings_json")).isEqualTo(SETTINGS);
    Keyset keyset =
        Keyset.verify(
            read.getString("keyset"),
            VerifyingKey.fromBase64Url(read.getString("root_public")),
            rig.keys.rootSha256(),
            rig.clock().instant());
    ConfigurationHeader header = ConfigurationHeader.verify(read.getString("header"), keyset);
    assertThat(header.system()).isEqualTo("sealed");
    String events =
        send("GET", "/api/v1/audit?event_type=system.sealed-read&limit=10", "", admin).body();
    assertThat(events).contains("eng@example.org", "plant-1/sealed").doesNotContain("ciphertext");
  }

  @Test
  void whoCanOpenAVersionIsShown() {
    Octets agentsId = SealedSecrets.recipientOf(plant.sealing().publicKey());
    JsonArray expected =
        new JsonArray()
            .add(new JsonObject().put("key_id", agentsId.base64Url()).put("of_agent", true));

    JsonObject made = json(put("shown", edit("shown")));

    assertThat(made.getJsonArray("recipients")).isEqualTo(expected);
    assertThat(json(send("GET", path("shown"), "", viewer)).getJsonArray("recipients"))
        .isEqualTo(expected);
    assertThat(
            json(send("GET", path("shown") + "/versions/1", "", viewer)).getJsonArray("recipients"))
        .isEqualTo(expected);
  }

  @Test
  void pluginsComeWithTheirSchemas() {
    JsonObject plugin =
        json(send("GET", "/api/v1/plugins", "", viewer)).getJsonArray("plugins").getJsonObject(0);

    PluginSchema http = PluginSchema.of("http").orElseThrow();
    assertThat(plugin.getString("name")).isEqualTo("http");
    assertThat(plugin.getString("schema_sha256")).isEqualTo(http.id().base64Url());
    assertThat(plugin.getJsonObject("schema")).isEqualTo(new JsonObject(http.text()));
  }

  @Test
  void theSealingKeyCanBeCheckedDownToTheRoot() {
    JsonObject answer = json(send("GET", "/api/v1/agents/plant-1/sealing-key", "", engineer));

    VerifyingKey root = VerifyingKey.fromBase64Url(answer.getString("root_public"));
    Keyset keyset =
        Keyset.verify(
            answer.getString("keyset"), root, rig.keys.rootSha256(), rig.clock().instant());
    AgentRecord signed = AgentRecord.verify(answer.getString("record"), keyset);
    assertThat(signed.sealingPublic().base64Url()).isEqualTo(answer.getString("sealing_public"));
    assertThat(answer.getString("sealing_key_sha256"))
        .isEqualTo(Octets.sha256(plant.sealing().publicKey().bytes()).base64Url());
    assertProblem(send("GET", "/api/v1/agents/nobody/sealing-key", "", engineer), 404, "not-found");
  }

  @Test
  void everyProblemOfTheSettingsIsListed() {
    JsonObject edit =
        new JsonObject()
            .put("plugin", "http")
            .put("settings", new JsonObject().put("base_url", "ftp://x").put("colour", 1));

    HttpResponse<String> answer = put("bad", edit);

    assertProblem(answer, 400, "schema-invalid");
    assertThat(new JsonObject(answer.body()).getJsonArray("errors").size()).isEqualTo(3);
    assertThat(answer.body()).contains("/base_url", "/colour", "/allow");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"settings\":{}}",
        "{\"plugin\":\"http\"}",
        "{\"plugin\":\"http\",\"settings\":[]}",
        "{\"plugin\":\"http\",\"settings\":{},\"sealed\":\"x\"}",
        "{\"plugin\":\"http\",\"settings\":{},\"secret_names\":[\"password\"]}",
        "{\"plugin\":\"http\",\"settings\":{},\"sealed\":{},\"carry_secrets\":true}",
        "{\"plugin\":\"http\",\"settings\":{},\"expected_version\":-1}",
        "{\"plugin\":\"http\",\"settings\":{},\"secrets\":{\"password\":\"x\"}}",
        "{\"plugin\":\"http\",\"settings\":{\"base_url\":\"https://a\",\"base_url\":\"https://b\",\"allow\":[]}}"
      })
  void whatIsNoEditIsRefused(String body) {
    HttpResponse<String> answer = send("PUT", path("erp"), body, engineer);

    assertProblem(answer, 400, "bad-request");
    assertThat(answer.body()).contains("expected");
  }

  @Test
  void aMebibyteFitsAndMoreDoesNot() {
    String filler = "/" + "x".repeat(1000);
    var allow = new JsonArray();
    for (int i = 0; i < 4; i++) {
      var paths = new JsonArray();
      for (int j = 0; j < 250; j++) {
        paths.add(filler);
      }
      allow.add(new JsonObject().put("methods", new JsonArray().add("GET")).put("paths", paths));
    }
    JsonObject large =
        new JsonObject()
            .put("plugin", "http")
            .put("settings", new JsonObject().put("base_url", "https://x").put("allow", allow));
    assertThat(put("large", large).statusCode()).isEqualTo(200);

    allow.add(allow.getJsonObject(0));

    assertProblem(put("large", large), 413, "too-large");
  }

  @Test
  void conflictsSayWhatTheyAreAbout() {
    json(put("conflict", edit("conflict")));
    JsonObject elsewhere =
        new JsonObject()
            .put("plugin", "http")
            .put("settings", new JsonObject(SETTINGS).put("base_url", "https://thief"))
            .put("carry_secrets", true);

    HttpResponse<String> changed = put("conflict", elsewhere);

    assertProblem(changed, 409, "destination-changed");
    assertThat(changed.body()).contains("base_url").doesNotContain("thief");
    assertProblem(
        put("conflict", edit("conflict").put("expected_version", 7)), 409, "version-conflict");
    assertProblem(
        put(
            "conflict",
            new JsonObject().put("plugin", "http").put("settings", new JsonObject(SETTINGS))),
        409,
        "secrets-missing");
    assertProblem(send("POST", path("conflict") + "/test", "", engineer), 503, "agent-offline");
    assertProblem(
        send("POST", path("conflict") + "/deploy", "{\"version\":9}", admin), 404, "not-found");
    assertProblem(put("penstock", edit("penstock")), 400, "bad-name");
  }
}
