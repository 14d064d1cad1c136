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
import io.penstock.broker.agents.AgentOperations;
import io.penstock.broker.agents.Agents;
import io.penstock.broker.agents.ApprovedAgents;
import io.penstock.broker.agents.EnrollmentTokens;
import io.penstock.broker.agents.Gateways;
import io.penstock.broker.agents.LiveSessions;
import io.penstock.broker.alarms.Alarms;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.audit.AuditProof;
import io.penstock.broker.backup.Backups;
import io.penstock.broker.changes.Changes;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.config.Networks;
import io.penstock.broker.delivery.Delivery;
import io.penstock.broker.gateways.GatewayService;
import io.penstock.broker.gateways.GatewaySessions;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.JwtKeys;
import io.penstock.broker.keys.MasterKey;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.ServiceAccountTable;
import io.penstock.broker.store.TestDatabase;
import io.penstock.broker.store.Tx;
import io.penstock.broker.store.UserTable;
import io.penstock.broker.systems.Systems;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.SigningKey;
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
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// The API against a real Postgres, spoken to by a real HTTP client.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApiTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private final SigningKey jwtKey = SigningKey.generate(new SecureRandom());
  private final NoKeys noKeys = new NoKeys();
  private final JwtKeys jwtKeys = new JwtKeys(jwtKey, List.of());
  private final NoAgents agents = new NoAgents();
  private TestDatabase database;
  private Audit audit;
  private HttpServer server;
  private Api api;
  private FirstAdmin admin;
  private String token;

  @BeforeAll
  void start(@TempDir Path directory) {
    database = TestDatabase.create();
    var random = new SecureRandom();
    Clock clock = Clock.systemUTC();
    DataDirectory data = DataDirectory.open(directory.resolve("data"));
    BrokerKeys keys =
        BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, random), random, clock);
    BrokerConfig config =
        BrokerConfig.load(Optional.empty(), Map.of(), Map.of("access.logins_per_source", "1000"));
    audit = new Audit(database.database(), keys.rowMac(), clock);
    var news = new AccessNews();
    var accessTokens = new AccessTokens(database.vertx(), () -> jwtKeys);
    var accounts =
        new Accounts(
            database.database(),
            new UserTable(keys.rowMac()),
            audit,
            new Passwords(random),
            accessTokens,
            news,
            config.access(),
            random,
            clock);
    var services =
        new ServiceAccounts(
            database.database(),
            new ServiceAccountTable(keys.rowMac()),
            audit,
            accessTokens,
            accounts,
            news,
            clock);
    var tokens =
        new EnrollmentTokens(
            database.database(),
            audit,
            keys.enrollRoot(),
            () ->
                new EnrollmentTokens.Pin(
                    keys.rootSha256(), "https://localhost:8443", Optional.empty()),
            random);
    admin = accounts.createFirstAdmin().orElseThrow();
    Systems systems = systems(keys, random, clock);
    var present = new GatewaySessions();
    var realAgents =
        new Agents(
            new Agents.Surroundings(
                database.database(),
                keys,
                present,
                (_, _, _) -> Optional.empty(),
                random,
                clock,
                "node-1",
                1));
    Gateways gateways =
        realAgents.gateways(
            new Gateways.Settings("https://localhost:8443", false, Duration.ofHours(1)),
            accessTokens);
    var delivery =
        new Delivery(
            new Delivery.Surroundings(
                database.database(),
                new MessageTable(keys.rowMac()),
                systems.documents(),
                realAgents.enrollments(),
                keys::sign,
                audit,
                clock));
    var gatewayService =
        new GatewayService(
            database.database(),
            systems.documents(),
            gateways,
            present,
            delivery.gatewayReceipts(),
            keys,
            clock);
    var watched = new Watched(database.database(), systems);
    api =
        new Api(
            database.vertx(),
            new Api.Features(
                database.database(),
                accounts,
                Optional.empty(),
                services,
                new RequestLimits(config.access(), System::nanoTime),
                new Blocks(
                    database.database(),
                    audit,
                    news,
                    Networks.of(List.of()),
                    Networks.of(List.of()),
                    clock),
                tokens,
                agents,
                gateways,
                gatewayService,
                new NoMessages(),
                systems,
                new Changes(
                    new Changes.Surroundings(
                        database.database(),
                        keys,
                        systems,
                        agents,
                        accounts,
                        audit,
                        news,
                        config.changes(),
                        clock)),
                noKeys,
                audit,
                new AuditProof(
                    new AuditProof.Surroundings(
                        database.database(), keys, data, audit, Optional.empty(), clock)),
                new Alarms(
                        new Alarms.Surroundings(
                            database.vertx(),
                            database.database(),
                            audit,
                            accounts,
                            keys,
                            List.of(),
                            directory,
                            "broker-1",
                            "https://localhost:8443",
                            config.alarms(),
                            clock))
                    .operations(),
                new Backups(database.database(), keys, data, audit, new SecureRandom(), clock),
                watched.instruments,
                watched.live,
                Duration.ofDays(90),
                clock));
    server =
        database
            .vertx()
            .createHttpServer()
            .requestHandler(api.router())
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
    token = login(admin.email(), admin.password()).getString("token");
  }

  private Systems systems(BrokerKeys keys, SecureRandom random, Clock clock) {
    return new Systems(
        new Systems.Surroundings(
            database.database(),
            keys,
            new NobodyApproved(),
            new NoSessions(),
            () -> {
              throw new AssertionError("nothing is deployed here");
            },
            random,
            clock));
  }

  @AfterAll
  void stop() {
    database.close();
  }

  @Test
  void openApiDescribesExactlyTheRoutesThatAreThere() {
    var registered = new TreeSet<String>();
    api.registered().forEach(route -> registered.add(route.method() + " " + route.template()));

    var described = new TreeSet<String>();
    OpenApi.of(api.registered())
        .getJsonObject("paths")
        .forEach(
            path ->
                ((JsonObject) path.getValue())
                    .fieldNames()
                    .forEach(
                        method ->
                            described.add(
                                method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey())));
    assertThat(described).isEqualTo(registered);
  }

  @Test
  void everyRouteOfOpenApiRefusesAStrangerUnlessItIsOpen() {
    OpenApi.of(api.registered())
        .getJsonObject("paths")
        .forEach(
            path ->
                ((JsonObject) path.getValue())
                    .forEach(
                        operation -> {
                          boolean open =
                              ((JsonObject) operation.getValue()).containsKey("security");
                          String concrete = path.getKey().replaceAll("\\{[a-z]+}", "x");
                          int status =
                              send(
                                      operation.getKey().toUpperCase(java.util.Locale.ROOT),
                                      concrete,
                                      "{}",
                                      "")
                                  .statusCode();
                          if (!open) {
                            assertThat(status).as(concrete).isEqualTo(401);
                          }
                        }));
  }

  @Test
  void aViewerReadsAndChangesNothing() {
    String viewer = signIn("viewer@example.com", Role.VIEWER);

    assertThat(send("GET", "/api/v1/agents", "", viewer).statusCode()).isEqualTo(200);
    assertThat(send("GET", "/api/v1/users", "", viewer).statusCode()).isEqualTo(403);
    assertThat(send("POST", "/api/v1/enrollment-tokens", "{}", viewer).statusCode()).isEqualTo(403);
    assertThat(send("POST", "/api/v1/agents/a/revoke", "", viewer).statusCode()).isEqualTo(403);
    assertThat(send("GET", "/api/v1/audit", "", viewer).statusCode()).isEqualTo(403);
  }

  @Test
  void theProofOfTheAuditTrailIsForAdmins() {
    String engineer = signIn("auditor@example.com", Role.ENGINEER);

    for (String path :
        List.of("verify", "export", "reports/gdpr?user=a", "reports/soc2", "reports/iso27001")) {
      assertThat(send("GET", "/api/v1/audit/" + path, "", engineer).statusCode())
          .as(path)
          .isEqualTo(403);
      assertThat(send("GET", "/api/v1/audit/" + path, "", token).statusCode())
          .as(path)
          .isEqualTo(200);
    }
  }

  @Test
  void theAuditTrailIsVerifiedAndExported() {
    HttpResponse<String> export = send("GET", "/api/v1/audit/export", "", token);
    var verdict = new JsonObject(send("GET", "/api/v1/audit/verify", "", token).body());

    assertThat(export.headers().firstValue("Content-Type")).contains("application/x-ndjson");
    List<String> lines = export.body().lines().toList();
    assertThat(lines.getFirst()).startsWith("{\"penstock_audit_export\":1,");
    assertThat(lines.getLast()).startsWith("{\"end\":");
    assertThat(verdict.getBoolean("ok")).isTrue();
    assertThat(verdict.getBoolean("complete")).isTrue();
    assertThat(verdict.getJsonObject("checkpoint").getLong("position")).isPositive();
  }

  @Test
  void reportsAreJsonOrCsvThatNoSpreadsheetRuns() {
    for (int i = 0; i < 6; i++) {
      audit.record(AuditEvent.of("authentication.failure", "blocked").by("=cmd|x!A1,\"y"));
    }

    HttpResponse<String> json = send("GET", "/api/v1/audit/reports/iso27001", "", token);
    HttpResponse<String> csv = send("GET", "/api/v1/audit/reports/iso27001?format=csv", "", token);

    assertThat(json.body()).contains("\"report\":\"iso27001\"", "\"failed_logins\"");
    assertThat(csv.headers().firstValue("Content-Type")).contains("text/csv; charset=utf-8");
    assertThat(csv.body()).startsWith("user_email,failed_logins\r\n");
    assertThat(csv.body()).contains("\"'=cmd|x!A1,\"\"y\",");
    assertThat(send("GET", "/api/v1/audit/reports/gdpr", "", token).statusCode()).isEqualTo(400);
    assertThat(send("GET", "/api/v1/audit/reports/soc2?format=xml", "", token).statusCode())
        .isEqualTo(400);
    HttpResponse<String> page =
        send("GET", "/api/v1/audit/reports/gdpr?user=system&limit=1&format=csv", "", token);
    assertThat(page.statusCode()).isEqualTo(200);
  }

  @Test
  void labelsOfAnAgentAreChangedByAnAdminAlone() {
    String path = "/api/v1/agents/plant-9";
    String body = "{\"labels\":{\"hall\":\"8\",\"line\":null}}";
    String engineer = signIn("labeller@example.com", Role.ENGINEER);

    assertThat(send("PATCH", path, body, engineer).statusCode()).isEqualTo(403);
    assertThat(agents.labelled).isEmpty();
    assertThat(send("PATCH", path, body, token).statusCode()).isEqualTo(204);
    assertThat(agents.labelled)
        .containsOnly(Map.entry("hall", Optional.of("8")), Map.entry("line", Optional.empty()));
    assertThat(send("PATCH", "/api/v1/agents/nobody", body, token).statusCode()).isEqualTo(404);
  }

  @Test
  void whatElseAnAgentIsCannotBeChanged() {
    for (String field : List.of("site", "allowed_cidrs", "state", "fingerprint", "generation")) {
      HttpResponse<String> answer =
          send("PATCH", "/api/v1/agents/plant-9", "{\"labels\":{},\"" + field + "\":\"x\"}", token);

      assertThat(answer.statusCode()).as(field).isEqualTo(400);
      assertThat(new JsonObject(answer.body()).getString("detail"))
          .isEqualTo("expected only the fields labels, found " + field);
    }
  }

  @Test
  void whatIsNoLabelIsRefused() {
    for (String body :
        List.of(
            "{}",
            "{\"labels\":null}",
            "{\"labels\":[\"hall\"]}",
            "{\"labels\":{\"hall\":7}}",
            "{\"labels\":{\"\":\"7\"}}",
            "{\"labels\":{\"<b>\":\"7\"}}",
            "{\"labels\":{\"hall\":\"a\\u0000b\"}}",
            "{\"labels\":{\"hall\":\"\\ud800\"}}",
            "{\"labels\":{\"hall\":\"" + "x".repeat(257) + "\"}}")) {
      HttpResponse<String> answer = send("PATCH", "/api/v1/agents/plant-9", body, token);

      assertThat(answer.statusCode()).as(body).isEqualTo(400);
      assertThat(new JsonObject(answer.body()).getString("detail"))
          .startsWith("labels: expected an object");
    }
  }

  @Test
  void anUnknownFieldThatIsNoNameIsNotEchoed() {
    HttpResponse<String> answer =
        send("PATCH", "/api/v1/agents/plant-9", "{\"<img src=x>\":1}", token);

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).contains("found another").doesNotContain("img");
  }

  @Test
  void otherSpellingsOfAPathNameNothing() {
    for (String path :
        List.of(
            "/api/v1/..%2fv1/users",
            "/api/v1//users",
            "/api/v1/users/",
            "/api/v1/users;a=b",
            "/api/v1/users%00",
            "/api/v1/./users",
            "/API/v1/users",
            "/api/v1/%75sers")) {
      assertThat(send("GET", path, "", token).statusCode()).as(path).isEqualTo(404);
    }
  }

  @Test
  void aTokenOfAnotherAlgorithmOrKeyIsNone() {
    String[] parts = token.split("\\.", -1);
    String none = base64("{\"alg\":\"none\"}") + "." + parts[1] + ".";
    String hmac = base64("{\"alg\":\"HS256\",\"typ\":\"JWT\"}") + "." + parts[1] + "." + parts[2];
    int middle = token.length() - 40;
    char other = token.charAt(middle) == 'A' ? 'B' : 'A';
    String flipped = token.substring(0, middle) + other + token.substring(middle + 1);

    for (String forged : List.of(none, hmac, flipped, "x", "a.b.c")) {
      assertThat(send("GET", "/api/v1/auth/me", "", forged).statusCode()).isEqualTo(401);
    }
  }

  @Test
  void wrongPasswordsAreRefusedAlikeAndThenLimited() {
    for (int i = 0; i < 5; i++) {
      assertThat(loginStatus("nobody@example.com", "wrong password " + i)).isEqualTo(401);
    }

    assertThat(loginStatus("nobody@example.com", "wrong password")).isEqualTo(429);
    assertThat(loginStatus(admin.email(), admin.password())).isEqualTo(200);
  }

  @Test
  void aRefreshTokenUsedTwiceEndsItsSession() {
    signIn("twice@example.com", Role.OPERATOR);
    JsonObject first = login("twice@example.com", "correct horse 42");
    String refresh = first.getString("refresh_token");
    String body = new JsonObject().put("refresh_token", refresh).encode();
    HttpResponse<String> once = send("POST", "/api/v1/auth/refresh", body, "");

    HttpResponse<String> twice = send("POST", "/api/v1/auth/refresh", body, "");

    assertThat(once.statusCode()).isEqualTo(200);
    assertThat(twice.statusCode()).isEqualTo(401);
    String next = new JsonObject(once.body()).getString("token");
    assertThat(send("GET", "/api/v1/auth/me", "", next).statusCode()).isEqualTo(401);
    assertThat(new JsonArray(send("GET", "/api/v1/alarms", "", token).body()).encode())
        .contains("refresh-token-reused");
  }

  @Test
  void anAccessTokenAloneRefreshesNothing() {
    assertThat(send("POST", "/api/v1/auth/refresh", "", token).statusCode()).isEqualTo(401);
  }

  @Test
  void signingOutEndsTheToken() {
    String user = signIn("leaver@example.com", Role.VIEWER);

    assertThat(send("POST", "/api/v1/auth/logout", "", user).statusCode()).isEqualTo(204);
    assertThat(send("GET", "/api/v1/auth/me", "", user).statusCode()).isEqualTo(401);
  }

  @Test
  void aDisabledUserIsOutAtOnceAndTheLastAdminStays() {
    String user = signIn("gone@example.com", Role.OPERATOR);

    assertThat(send("POST", "/api/v1/users/gone@example.com/disable", "", token).statusCode())
        .isEqualTo(200);
    assertThat(send("GET", "/api/v1/auth/me", "", user).statusCode()).isEqualTo(401);
    assertThat(send("POST", "/api/v1/users/" + admin.email() + "/disable", "", token).statusCode())
        .isEqualTo(409);
  }

  @Test
  void anEnrollmentTokenIsShownOnceAndIsWhole() {
    HttpResponse<String> created =
        send(
            "POST",
            "/api/v1/enrollment-tokens",
            "{\"agent\":\"plant-7\",\"site\":\"berlin\",\"ttl_seconds\":600}",
            token);

    assertThat(created.statusCode()).isEqualTo(201);
    String text = new JsonObject(created.body()).getString("token");
    assertThat(EnrollmentToken.parse(text).brokerUrl()).isEqualTo("https://localhost:8443");
    String listed = send("GET", "/api/v1/enrollment-tokens", "", token).body();
    assertThat(listed).contains("plant-7").doesNotContain("pen1.");
  }

  @Test
  void aServiceTokenInvokesWhatItsAccountMayAndReachesNoApi() {
    send(
        "POST",
        "/api/v1/service-accounts",
        "{\"name\":\"billing\",\"systems\":[\"berlin/erp\"]}",
        token);
    HttpResponse<String> issued =
        send("POST", "/api/v1/service-accounts/billing/tokens", "{\"ttl_seconds\":3600}", token);

    assertThat(issued.statusCode()).isEqualTo(201);
    String service = new JsonObject(issued.body()).getString("token");
    assertThat(send("GET", "/api/v1/auth/me", "", service).statusCode()).isEqualTo(401);
  }

  @Test
  void badInputNamesTheFieldAndEchoesNothing() {
    HttpResponse<String> answer =
        send("POST", "/api/v1/enrollment-tokens", "{\"agent\":\"<img onerror=alert(1)>\"}", token);

    assertThat(answer.statusCode()).isEqualTo(400);
    JsonObject problem = new JsonObject(answer.body());
    assertThat(problem.getString("detail")).startsWith("agent: expected");
    assertThat(problem.getString("request_id")).isNotEmpty();
    assertThat(answer.body()).doesNotContain("onerror");
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
  }

  @Test
  void whatWasDoneIsInTheAuditTrail() {
    signIn("audited@example.com", Role.VIEWER);

    String events =
        send("GET", "/api/v1/audit?event_type=user.create&limit=1000", "", token).body();

    assertThat(events).contains("audited@example.com").doesNotContain("correct horse");
  }

  private String signIn(String email, Role role) {
    var body =
        new JsonObject()
            .put("email", email)
            .put("role", role.text())
            .put("password", "correct horse 42");
    assertThat(send("POST", "/api/v1/users", body.encode(), token).statusCode()).isEqualTo(201);
    return login(email, "correct horse 42").getString("token");
  }

  private JsonObject login(String email, String password) {
    var body = new JsonObject().put("email", email).put("password", password);
    HttpResponse<String> answer = send("POST", "/api/v1/auth/login", body.encode(), "");
    assertThat(answer.statusCode()).isEqualTo(200);
    return new JsonObject(answer.body());
  }

  private int loginStatus(String email, String password) {
    var body = new JsonObject().put("email", email).put("password", password);
    return send("POST", "/api/v1/auth/login", body.encode(), "").statusCode();
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

  private static String base64(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  private static final class NobodyApproved implements ApprovedAgents {
    @Override
    public Found find(Tx tx, String agent) {
      return new Found.Unknown();
    }

    @Override
    public Found lock(Tx tx, String agent) {
      return new Found.Unknown();
    }
  }

  private static final class NoSessions implements LiveSessions {
    @Override
    public List<LiveSession> of(String agent) {
      return List.of();
    }

    @Override
    public List<LiveSession> all() {
      return List.of();
    }
  }

  /// A fleet without agents: what agents do is tested where they live.
  private static final class NoAgents implements AgentOperations {
    /// The labels of `plant-9`, the one name that can be labelled.
    volatile Map<String, Optional<String>> labelled = Map.of();

    @Override
    public Outcome label(
        String id, Map<String, Optional<String>> change, io.penstock.broker.access.Actor by) {
      if (!id.equals("plant-9")) {
        return new Outcome.UnknownAgent();
      }
      labelled = Map.copyOf(change);
      return new Outcome.Done();
    }

    @Override
    public List<AgentView> list() {
      return List.of();
    }

    @Override
    public Optional<AgentView> find(String id) {
      return Optional.empty();
    }

    @Override
    public Outcome approve(
        String id, String fingerprint, boolean plainBearer, io.penstock.broker.access.Actor by) {
      return new Outcome.UnknownAgent();
    }

    @Override
    public Outcome reject(String id, io.penstock.broker.access.Actor by) {
      return new Outcome.UnknownAgent();
    }

    @Override
    public Outcome revoke(String id, io.penstock.broker.access.Actor by) {
      return new Outcome.UnknownAgent();
    }

    @Override
    public Outcome disconnect(String id, io.penstock.broker.access.Actor by) {
      return new Outcome.UnknownAgent();
    }

    @Override
    public Outcome release(String id, String fingerprint, io.penstock.broker.access.Actor by) {
      return new Outcome.UnknownAgent();
    }
  }
}
