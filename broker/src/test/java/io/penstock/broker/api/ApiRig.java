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
import io.penstock.broker.systems.SystemsRig;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.SigningKey;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The whole API with real agents and systems on a real Postgres, spoken to by a real HTTP client.
final class ApiRig implements AutoCloseable {
  static final String PASSWORD = "plaice granite 4711 umbrella";

  final SystemsRig systems;
  final Api api;
  final Accounts accounts;
  final Watched watched;
  final Changes changes;
  final GatewayService gatewayService;
  final SigningKey jwtKey;
  final FirstAdmin first;
  final String admin;
  private final HttpServer server;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  ApiRig(Path directory) {
    this(directory, Map.of());
  }

  ApiRig(Path directory, Map<String, String> settings) {
    systems = new SystemsRig(directory);
    Database database = systems.database();
    systems.postgres.execute("truncate users cascade");
    systems.postgres.execute("truncate service_accounts cascade");
    var random = new SecureRandom();
    var flags = new HashMap<>(Map.of("access.logins_per_source", "10000"));
    flags.putAll(settings);
    BrokerConfig config = BrokerConfig.load(Optional.empty(), Map.of(), flags);
    var audit = new Audit(database, systems.keys.rowMac(), systems.clock());
    var news = new AccessNews();
    var tokens = new AccessTokens(systems.postgres.vertx(), systems.keys::jwtKeys);
    jwtKey = systems.keys.jwtKeys().signing();
    accounts =
        new Accounts(
            database,
            new UserTable(systems.keys.rowMac()),
            audit,
            new Passwords(random),
            tokens,
            news,
            config.access(),
            random,
            systems.clock());
    var services =
        new ServiceAccounts(
            database,
            new ServiceAccountTable(systems.keys.rowMac()),
            audit,
            tokens,
            accounts,
            news,
            systems.clock());
    first = accounts.createFirstAdmin().orElseThrow();
    systems.postgres.execute("truncate changes, revocations_alone");
    changes =
        new Changes(
            new Changes.Surroundings(
                database,
                systems.keys,
                systems.systems,
                systems.agents().operations(),
                accounts,
                audit,
                news,
                config.changes(),
                systems.clock()));
    var delivery =
        new Delivery(
            new Delivery.Surroundings(
                database,
                new MessageTable(systems.keys.rowMac()),
                systems.systems.documents(),
                systems.agents().enrollments(),
                systems.keys::sign,
                audit,
                systems.clock()));
    Gateways gateways =
        systems
            .agents()
            .gateways(
                new Gateways.Settings(
                    "https://localhost:8443",
                    config.gateways().plainBearer(),
                    config.gateways().tokenTtl()),
                tokens);
    gatewayService =
        new GatewayService(
            database,
            systems.systems.documents(),
            gateways,
            systems.gateways,
            delivery.gatewayReceipts(),
            systems.keys,
            systems.clock());
    watched = new Watched(database, systems.systems);
    watched.start();
    api =
        new Api(
            systems.postgres.vertx(),
            new Api.Features(
                database,
                accounts,
                config
                    .oidc()
                    .map(it -> accounts.oidc(systems.postgres.vertx(), it, config.externalUrl())),
                services,
                new RequestLimits(config.access(), System::nanoTime),
                new Blocks(
                    database,
                    audit,
                    news,
                    Networks.of(List.of()),
                    Networks.of(List.of()),
                    systems.clock()),
                new EnrollmentTokens(
                    database,
                    audit,
                    systems.keys.enrollRoot(),
                    () ->
                        new EnrollmentTokens.Pin(
                            systems.keys.rootSha256(), "https://localhost:8443", Optional.empty()),
                    random),
                systems.agents().operations(),
                gateways,
                gatewayService,
                new NoMessages(),
                systems.systems,
                changes,
                new NoKeys(),
                audit,
                new AuditProof(
                    new AuditProof.Surroundings(
                        database,
                        systems.keys,
                        systems.data,
                        audit,
                        Optional.empty(),
                        systems.clock())),
                new Alarms(
                        new Alarms.Surroundings(
                            systems.postgres.vertx(),
                            database,
                            audit,
                            accounts,
                            systems.keys,
                            List.of(),
                            directory,
                            "broker-1",
                            "https://localhost:8443",
                            config.alarms(),
                            systems.clock()))
                    .operations(),
                new Backups(
                    database,
                    systems.keys,
                    systems.data,
                    audit,
                    new SecureRandom(),
                    systems.clock()),
                watched.instruments,
                watched.live,
                Duration.ofDays(90),
                systems.clock()));
    server =
        systems
            .postgres
            .vertx()
            .createHttpServer()
            .requestHandler(api.router())
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
    admin = login(first.email(), first.password());
  }

  /// The host and port that it is reached by.
  String authority() {
    return "127.0.0.1:" + server.actualPort();
  }

  /// A new user's access token.
  String user(String email, Role role, String... scope) {
    var body =
        new JsonObject()
            .put("email", email)
            .put("role", role.text())
            .put("password", PASSWORD)
            .put("gateway_access", new JsonArray(List.of(scope)));
    assertThat(send("POST", "/api/v1/users", body.encode(), admin).statusCode()).isEqualTo(201);
    return login(email, PASSWORD);
  }

  String login(String email, String password) {
    var body = new JsonObject().put("email", email).put("password", password);
    HttpResponse<String> answer = send("POST", "/api/v1/auth/login", body.encode(), "");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return new JsonObject(answer.body()).getString("token");
  }

  EnrollmentToken enrollmentToken(String agent, boolean reenroll) {
    return enrollmentToken(new JsonObject().put("agent", agent).put("reenroll", reenroll));
  }

  EnrollmentToken enrollmentToken(JsonObject wish) {
    HttpResponse<String> made = send("POST", "/api/v1/enrollment-tokens", wish.encode(), admin);
    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
    return EnrollmentToken.parse(new JsonObject(made.body()).getString("token"));
  }

  String serviceToken(String name, String... of) {
    var body = new JsonObject().put("name", name).put("systems", new JsonArray(List.of(of)));
    String path = "/api/v1/service-accounts";
    assertThat(send("POST", path, body.encode(), admin).statusCode()).isEqualTo(201);
    HttpResponse<String> issued =
        send("POST", path + "/" + name + "/tokens", "{\"ttl_seconds\":3600}", admin);
    return new JsonObject(issued.body()).getString("token");
  }

  /// @param bearer empty = none
  HttpResponse<String> send(String method, String path, String body, String bearer) {
    return bearer.isEmpty()
        ? send(method, path, body, Map.of())
        : send(method, path, body, Map.of("Authorization", "Bearer " + bearer));
  }

  HttpResponse<String> send(String method, String path, String body, Map<String, String> fields) {
    var pairs = new ArrayList<String>();
    fields.forEach(
        (name, value) -> {
          pairs.add(name);
          pairs.add(value);
        });
    var request =
        HttpRequest.newBuilder(URI.create("http://" + authority() + path))
            .method(method, BodyPublishers.ofString(body));
    if (!pairs.isEmpty()) {
      request.headers(pairs.toArray(String[]::new));
    }
    try {
      return client.send(request.build(), BodyHandlers.ofString());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// An answer's body without what differs from one request to the next.
  static JsonObject problem(HttpResponse<String> answer) {
    JsonObject problem = new JsonObject(answer.body());
    problem.remove("request_id");
    return problem;
  }

  @Override
  public void close() {
    watched.live.close();
    server.close().toCompletionStage().toCompletableFuture().join();
    watched.close();
    systems.close();
  }
}
