package io.penstock.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Forger;
import io.penstock.broker.access.Permission;
import io.penstock.broker.access.Role;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every route, called by everybody: the matrix of roles and endpoints, made from the table of
/// routes itself.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RightsTest {
  private static final Set<Integer> REFUSED = Set.of(401, 403);

  private ApiRig rig;
  private final Map<Role, String> tokens = new EnumMap<>(Role.class);
  private String service;
  private String scoped;

  @BeforeAll
  void start(@TempDir Path directory) {
    rig = new ApiRig(directory.resolve("data"));
    rig.systems.approved("inside-1");
    rig.systems.approved("outside-1");
    for (Role role : Role.values()) {
      tokens.put(role, rig.user(role.stored() + "@example.org", role));
    }
    service = rig.serviceToken("billing", "inside-1/*");
    scoped = rig.user("scoped@example.org", Role.ADMIN, "agent:inside-1");
  }

  @AfterAll
  void stop() {
    rig.close();
  }

  private String token(Role role) {
    return Optional.ofNullable(tokens.get(role)).orElseThrow();
  }

  private List<Routes.Registered> routes() {
    return rig.api.registered();
  }

  /// Of things that are not there, so that nothing is changed.
  private static String path(Routes.Registered route) {
    return path(route, "nobody");
  }

  private static String path(Routes.Registered route, String agent) {
    String path = route.path();
    if (route.isOfOneAgent()) {
      path = path.replace("/agents/:id", "/agents/" + agent);
    }
    return path.replaceAll(":[a-z_]+", "nothing");
  }

  private HttpResponse<String> call(Routes.Registered route, String token) {
    boolean hasBody = !route.method().equals("GET");
    return rig.send(route.method(), path(route), hasBody ? "{}" : "", token);
  }

  private static String named(Routes.Registered route) {
    return route.method() + " " + route.template();
  }

  @TestFactory
  Stream<DynamicTest> nobodyCallsWhatNeedsSomebody() {
    Map<String, String> strangers =
        Map.of(
            "without a token",
            "",
            "with a token that is none",
            "not.a.token",
            "with an expired token",
            expired(),
            "with a service account's token",
            service);
    return routes().stream()
        .filter(route -> !(route.right() instanceof Right.Open))
        .flatMap(
            route ->
                strangers.entrySet().stream()
                    .map(
                        stranger ->
                            DynamicTest.dynamicTest(
                                named(route) + " " + stranger.getKey(),
                                () -> assertIsUnauthorized(call(route, stranger.getValue())))));
  }

  private String expired() {
    String good = rig.login(rig.first.email(), rig.first.password());
    JsonObject claims = Forger.payload(good).put("exp", Instant.now().getEpochSecond() - 1);
    return Forger.signed(rig.jwtKey, Forger.header(good).encode(), claims.encode());
  }

  private static void assertIsUnauthorized(HttpResponse<String> answer) {
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(answer.headers().firstValue("WWW-Authenticate"))
        .contains("Bearer realm=\"penstock\"");
    assertThat(ApiRig.problem(answer))
        .isEqualTo(
            new JsonObject()
                .put("type", "about:blank")
                .put("title", "unauthorized")
                .put("status", 401)
                .put("detail", "a valid access token is needed"));
  }

  @TestFactory
  Stream<DynamicTest> aRoleCallsExactlyWhatItMay() {
    return routes().stream()
        .filter(route -> route.right() instanceof Right.Needs)
        .flatMap(
            route ->
                Stream.of(Role.values())
                    .map(
                        role ->
                            DynamicTest.dynamicTest(
                                named(route) + " as " + role.text(),
                                () -> assertHolds(route, role))));
  }

  private void assertHolds(Routes.Registered route, Role role) {
    Permission needed = ((Right.Needs) route.right()).permission();

    HttpResponse<String> answer = call(route, token(role));

    if (role.permissions().contains(needed)) {
      assertThat(answer.statusCode()).as(answer.body()).isNotIn(REFUSED).isLessThan(500);
    } else {
      assertThat(answer.statusCode()).isEqualTo(403);
      assertThat(ApiRig.problem(answer).getString("title")).isEqualTo("forbidden");
      assertThat(ApiRig.problem(answer).getString("detail"))
          .isEqualTo("this needs the permission " + needed.text());
    }
  }

  @TestFactory
  Stream<DynamicTest> everybodyWhoIsSignedInCallsTheRest() {
    return routes().stream()
        .filter(route -> route.right() instanceof Right.SignedIn)
        .flatMap(
            route ->
                Stream.of(Role.values())
                    .map(
                        role ->
                            DynamicTest.dynamicTest(
                                named(route) + " as " + role.text(),
                                () -> {
                                  // A token of its own: signing out ends it.
                                  String token =
                                      rig.login(role.stored() + "@example.org", ApiRig.PASSWORD);
                                  assertThat(call(route, token).statusCode())
                                      .isNotIn(REFUSED)
                                      .isLessThan(500);
                                })));
  }

  @Test
  void whatIsOpenIsAFewThings() {
    assertThat(
            routes().stream()
                .filter(route -> route.right() instanceof Right.Open)
                .map(RightsTest::named))
        .containsExactlyInAnyOrder(
            "POST /api/v1/auth/login",
            "POST /api/v1/auth/refresh",
            // By the refresh cookie alone too; without any credential it is refused.
            "POST /api/v1/auth/logout",
            "GET /api/v1/auth/jwks",
            // By nobody who is signed in yet.
            "GET /api/v1/auth/oidc",
            "GET /api/v1/auth/oidc/login",
            "GET /api/v1/auth/oidc/callback",
            // By what gateways sign; without that they are refused.
            "POST /api/v1/gateways/register",
            "POST /api/v1/gateways/enroll",
            "POST /api/v1/gateways/{id}/proof",
            "POST /api/v1/gateways/token",
            "POST /api/v1/gateways/token/renew",
            "GET /api/v1/gateways/{id}/config/current",
            "POST /api/v1/gateways/{id}/heartbeat",
            "GET /api/v1/openapi.json",
            "GET /health/live",
            "GET /health/ready",
            "GET /api/v1/health/live",
            "GET /api/v1/health/ready");
  }

  /// A route that is added past the table has no right, and is found here.
  @Test
  void theRouterAnswersNothingThatIsNotInTheTable() {
    Set<String> table = new TreeSet<>();
    routes().forEach(route -> table.add(route.method() + " " + route.path()));
    var others = new ArrayList<String>();
    for (Route route : rig.api.router().getRoutes()) {
      Set<HttpMethod> methods = route.methods() == null ? Set.of() : route.methods();
      // What stands before all routes has no path and answers nothing by itself.
      if (route.getPath() == null && !route.isRegexPath() && methods.isEmpty()) {
        continue;
      }
      String verbs =
          methods.stream().map(HttpMethod::name).sorted().collect(Collectors.joining(","));
      String path = Objects.requireNonNullElse(route.getPath(), "(pages)");
      if (!table.contains(verbs + " " + path)) {
        others.add(verbs + " " + path);
      }
    }

    assertThat(others).as("the console alone").containsExactly("GET,HEAD (pages)");
  }

  @TestFactory
  Stream<DynamicTest> otherMethodsAndOverridesOpenNothing() {
    return routes().stream()
        .filter(route -> !(route.right() instanceof Right.Open))
        .map(
            route ->
                DynamicTest.dynamicTest(
                    named(route),
                    () -> {
                      for (String method : List.of("HEAD", "OPTIONS", "TRACE", "PROPFIND")) {
                        assertThat(rig.send(method, path(route), "", "").statusCode())
                            .as(method)
                            .isGreaterThanOrEqualTo(400);
                      }
                      HttpResponse<String> overridden =
                          rig.send(
                              "GET",
                              "/api/v1/auth/me",
                              "",
                              Map.of(
                                  "X-HTTP-Method-Override",
                                  route.method(),
                                  "X-Original-URL",
                                  path(route),
                                  "X-Rewrite-URL",
                                  path(route)));
                      assertIsUnauthorized(overridden);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> anAgentOutOfScopeIsOneThatIsNotThere() {
    return routes().stream()
        .filter(Routes.Registered::isOfOneAgent)
        .map(
            route ->
                DynamicTest.dynamicTest(
                    named(route),
                    () -> {
                      HttpResponse<String> outside = callAgent(route, "outside-1");
                      HttpResponse<String> unknown = callAgent(route, "nobody-1");
                      assertThat(outside.statusCode()).isEqualTo(404);
                      assertThat(unknown.statusCode()).isEqualTo(404);
                      assertThat(ApiRig.problem(outside)).isEqualTo(ApiRig.problem(unknown));
                    }));
  }

  private HttpResponse<String> callAgent(Routes.Registered route, String agent) {
    String body = route.method().equals("GET") ? "" : "{}";
    return rig.send(route.method(), path(route, agent), body, scoped);
  }

  @Test
  void anAgentInScopeIsThere() {
    assertThat(rig.send("GET", "/api/v1/agents/inside-1", "", scoped).statusCode()).isEqualTo(200);
    assertThat(rig.send("GET", "/api/v1/agents/inside-1/systems", "", scoped).statusCode())
        .isEqualTo(200);
    assertThat(ids(scoped)).containsExactly("inside-1");
    assertThat(ids(rig.admin)).contains("inside-1", "outside-1");
  }

  private List<String> ids(String token) {
    return new JsonArray(rig.send("GET", "/api/v1/agents", "", token).body())
        .stream().map(agent -> ((JsonObject) agent).getString("id")).toList();
  }

  @Test
  void anAlarmIsAcknowledgedWithoutAWordToo() {
    rig.systems.postgres.execute(
        "insert into alarms (kind, severity, subject, message, raised_at, last_at) values"
            + " ('a-test', 'low', 'broker without a word', 'x', now(), now())");
    JsonArray all = new JsonArray(rig.send("GET", "/api/v1/alarms", "", rig.admin).body());
    Object id =
        all.stream()
            .map(JsonObject.class::cast)
            .filter(alarm -> alarm.getString("subject").equals("broker without a word"))
            .map(alarm -> alarm.getValue("id"))
            .findFirst()
            .orElseThrow();

    HttpResponse<String> answer =
        rig.send("POST", "/api/v1/alarms/" + id + "/acknowledge", "", rig.admin);

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(new JsonObject(answer.body()).getString("acknowledged_by"))
        .isEqualTo(rig.first.email());
  }

  @ParameterizedTest
  @ValueSource(strings = {"o'brien@example.org", "a!b@example.org", "a/b@example.org", "@x", "x"})
  void whomNoPathCanNameIsNotCreated(String email) {
    var body =
        new JsonObject().put("email", email).put("role", "Viewer").put("password", ApiRig.PASSWORD);

    HttpResponse<String> answer = rig.send("POST", "/api/v1/users", body.encode(), rig.admin);

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(ApiRig.problem(answer).getString("detail"))
        .startsWith("email: expected an address such as name@example.com, before the @");
  }

  @Test
  void whoeverIsCreatedHasAPath() {
    String email = "a.B_c~d+e:f-9@sub.example.org";
    rig.user(email, Role.VIEWER);

    assertThat(rig.send("GET", "/api/v1/users/" + email, "", rig.admin).statusCode())
        .isEqualTo(200);
  }

  @Test
  void anAlarmAboutAnAgentOutOfScopeIsNotThereEither() {
    rig.systems.postgres.execute(
        "insert into alarms (kind, severity, subject, message, raised_at, last_at) values"
            + " ('a', 'high', 'outside-1', 'm', now(), now()),"
            + " ('b', 'high', 'outside-1/erp', 'm', now(), now()),"
            + " ('c', 'high', 'user x@example.org', 'm', now(), now()),"
            + " ('d', 'high', 'inside-1/erp', 'm', now(), now())");

    JsonArray seen = new JsonArray(rig.send("GET", "/api/v1/alarms", "", scoped).body());
    JsonArray all = new JsonArray(rig.send("GET", "/api/v1/alarms", "", rig.admin).body());

    assertThat(seen).hasSize(1);
    assertThat(seen.getJsonObject(0).getString("subject")).isEqualTo("inside-1/erp");
    assertThat(all.size()).isGreaterThanOrEqualTo(4);
    for (Object alarm : all) {
      JsonObject one = (JsonObject) alarm;
      if (one.getString("subject").startsWith("outside-1")) {
        String path = "/api/v1/alarms/" + one.getValue("id") + "/acknowledge";
        assertThat(rig.send("POST", path, "{}", scoped).statusCode()).isEqualTo(404);
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> whatIsAboutTheWholeBrokerIsNotForPeopleWithAScope() {
    return routes().stream()
        .filter(route -> route.right() instanceof Right.Needs(Permission p) && p.isGlobal())
        .map(
            route ->
                DynamicTest.dynamicTest(
                    named(route),
                    () -> assertThat(call(route, scoped).statusCode()).isEqualTo(403)));
  }

  @Test
  void rolesAndOpenApiPublishWhatIsEnforced() {
    JsonObject matrix =
        new JsonObject(rig.send("GET", "/api/v1/roles", "", token(Role.VIEWER)).body());
    JsonObject document = new JsonObject(rig.send("GET", "/api/v1/openapi.json", "", "").body());

    for (Object each : matrix.getJsonArray("roles")) {
      JsonObject role = (JsonObject) each;
      assertThat(role.getJsonArray("permissions").stream().map(Object::toString))
          .containsExactlyInAnyOrderElementsOf(
              Role.of(role.getString("role")).orElseThrow().permissions().stream()
                  .map(Permission::text)
                  .toList());
    }
    for (Routes.Registered route : routes()) {
      JsonObject operation =
          document
              .getJsonObject("paths")
              .getJsonObject(route.template())
              .getJsonObject(route.method().toLowerCase(java.util.Locale.ROOT));
      switch (route.right()) {
        case Right.Open() -> assertThat(operation.getJsonArray("security")).isEmpty();
        case Right.SignedIn() -> assertThat(operation.containsKey("security")).isFalse();
        case Right.Needs(Permission permission) -> {
          assertThat(operation.getString("x-permission")).isEqualTo(permission.text());
          assertThat(operation.getJsonArray("x-roles").stream().map(Object::toString))
              .containsExactlyElementsOf(route.right().roles().stream().map(Role::text).toList());
        }
      }
    }
  }

  /// What an edit made of the scope is in force with the next request.
  @Test
  void aScopeChangesWhileItsOwnerIsSignedIn() {
    String eve = rig.user("moving@example.org", Role.ENGINEER, "agent:inside-1");
    assertThat(ids(eve)).containsExactly("inside-1");

    HttpResponse<String> changed =
        rig.send(
            "PATCH",
            "/api/v1/users/moving@example.org",
            "{\"gateway_access\":[\"site:outside-1\"]}",
            rig.admin);

    assertThat(changed.statusCode()).as(changed.body()).isEqualTo(200);
    assertThat(ids(eve)).doesNotContain("inside-1");
    assertThat(
            rig.send(
                    "PATCH",
                    "/api/v1/users/moving@example.org",
                    "{\"gateway_access\":[\"outside-1/*\"]}",
                    rig.admin)
                .statusCode())
        .isEqualTo(400);
  }
}
