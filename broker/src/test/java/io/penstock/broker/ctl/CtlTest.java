package io.penstock.broker.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CtlTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final String LOGIN =
      """
      {"token":"access-1","expires_at":"2026-11-21T12:15:00Z",
       "refresh_token":"refresh-1","session_expires_at":"2026-11-22T12:00:00Z"}
      """;
  private static final String REFRESHED =
      """
      {"token":"access-2","expires_at":"2026-11-21T13:15:00Z",
       "refresh_token":"refresh-2","session_expires_at":"2026-11-22T12:00:00Z"}
      """;
  private static final String AGENTS =
      """
      [{"id":"plant-1","site":"hamburg","labels":{"line":"3"},"state":"pending","online":false,"remote_ip":"10.1.2.3",
        "latency_ms":{"p50":1.2,"p95":2.0,"p99":3.0},"fingerprint":"ABCD-EFGH"}]
      """;
  private static final String PROBLEM =
      """
      {"type":"about:blank","title":"wrong fingerprint","status":409,"detail":"it is not the agent's","request_id":"req-7"}
      """;

  @TempDir Path home;
  FakeBroker broker;
  Shell shell;

  @BeforeEach
  void start() throws Exception {
    broker = FakeBroker.start().when("POST /api/v1/auth/login", 200, LOGIN);
    shell = at(NOW);
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private Shell at(Instant now) {
    return new Shell(home, Clock.fixed(now, ZoneOffset.UTC));
  }

  @Test
  void loginKeepsTheSessionForItsOwnerAlone() throws Exception {
    Shell.Result result = shell.login(broker);

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("admin@example.com").doesNotContain("access-1", "refresh-1");
    assertThat(Json.parse(broker.lastAsked().body().getBytes(StandardCharsets.UTF_8)).orElseThrow())
        .isEqualTo(
            Json.object().put("email", "admin@example.com").put("password", "correct horse"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(shell.sessionFile())))
        .isEqualTo("rw-------");
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(shell.sessionFile().getParent())))
        .isEqualTo("rwx------");
    assertThat(Files.readString(shell.sessionFile())).doesNotContain("correct horse");
  }

  @Test
  void loginReplacesASessionFileThatOthersCouldRead() throws Exception {
    Files.createDirectories(shell.sessionFile().getParent());
    Files.writeString(shell.sessionFile(), "{}");
    Files.setPosixFilePermissions(
        shell.sessionFile(), PosixFilePermissions.fromString("rw-rw-rw-"));

    shell.login(broker);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(shell.sessionFile())))
        .isEqualTo("rw-------");
  }

  @Test
  void wrongPasswordIsRefusedForGoodAndKeepsNothing() throws Exception {
    broker.close();
    broker =
        FakeBroker.start()
            .when(
                "POST /api/v1/auth/login",
                401,
                "{\"title\":\"sign-in refused\",\"status\":401,\"request_id\":\"req-1\"}");

    Shell.Result result = shell.login(broker);

    assertThat(result.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(result.err()).contains("sign-in refused", "req-1").doesNotContain("correct horse");
    assertThat(shell.sessionFile()).doesNotExist();
  }

  @Test
  void emptyPasswordIsWrongUsage() {
    Shell.Result result =
        shell.ctlWithInput(
            "", "login", "--url", "https://localhost:1", "--user", "a@b", "--password-stdin");

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains("no password on standard input");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://localhost:1",
        "localhost:1",
        "https://",
        "https://user:secret@host",
        ":::"
      })
  void refusesWhatIsNoBrokersUrl(String url) {
    Shell.Result result =
        shell.ctlWithInput("pw\n", "login", "--url", url, "--user", "a@b", "--password-stdin");

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).doesNotContain("secret");
  }

  @Test
  void agentsAreListedAsATableAndAsJson() throws Exception {
    broker.when("GET /api/v1/agents", 200, AGENTS);
    shell.login(broker);

    Shell.Result table = shell.ctl("agents");
    Shell.Result json = shell.ctl("agents", "--json");
    Shell.Result jsonOfTheSubcommand = shell.ctl("--json", "agents", "list");

    assertThat(table.exitCode()).isZero();
    assertThat(table.out().lines().toList()).hasSize(2);
    assertThat(table.out()).contains("FINGERPRINT", "plant-1  hamburg  pending", "ABCD-EFGH");
    assertThat(parsed(json.out()).get(0).path("labels").path("line").asText()).isEqualTo("3");
    assertThat(jsonOfTheSubcommand.out()).isEqualTo(json.out());
    assertThat(broker.lastAsked().authorization()).isEqualTo("Bearer access-1");
  }

  @Test
  void aListInAnObjectIsATableToo() throws Exception {
    broker.when("GET /api/v1/agents", 200, "{\"agents\":" + AGENTS + ",\"next\":null}");
    shell.login(broker);

    assertThat(shell.ctl("agents").out()).contains("plant-1");
  }

  @Test
  void timesAreAskedForByFilterAndShownWithTheirHops() throws Exception {
    broker.when(
        "GET /api/v1/requests?agent=plant-1&verdict=failed&limit=20",
        200,
        """
        {"node":"broker-1","kept":2,"seen":9,"rows":[
         {"id":"req-1","agent":"plant-1","status":200,"total_ms":12.5,"hops":{"system_ms":9.75}},
         {"id":"req-2","agent":null,"status":503,"total_ms":0.25,"hops":null}]}
        """);
    broker.when("GET /api/v1/broker", 200, "{\"nodes\":[{\"node\":\"broker-1\",\"cpu\":0.5}]}");
    shell.login(broker);

    Shell.Result requests =
        shell.ctl(
            "times", "requests", "--agent", "plant-1", "--verdict", "failed", "--limit", "20");
    Shell.Result brokers = shell.ctl("times", "brokers");

    assertThat(requests.exitCode()).isZero();
    assertThat(requests.out().lines().toList()).hasSize(3);
    assertThat(requests.out()).contains("req-1", "12.5", "9.75", "req-2", "0.25");
    assertThat(brokers.out()).contains("REACHABLE", "broker-1", "0.5");
  }

  @Test
  void approvingSendsTheTypedFingerprint() throws Exception {
    broker.when("POST /api/v1/agents/plant-1/approve", 200, "{\"state\":\"approved\"}");
    shell.login(broker);

    Shell.Result result = shell.ctl("agents", "approve", "plant-1", "--fingerprint", "ABCD-EFGH");

    assertThat(result.exitCode()).isZero();
    assertThat(broker.lastAsked().body()).isEqualTo("{\"fingerprint\":\"ABCD-EFGH\"}");
  }

  @Test
  void anAgentIsInstructed() throws Exception {
    broker.when("POST /api/v1/agents/plant-1/instructions", 201, "{\"sequence\":7,\"id\":\"i\"}");
    shell.login(broker);

    Shell.Result told =
        shell.ctl("agents", "instruct", "plant-1", "restart-plugin", "--system", "erp");
    Shell.Result machine =
        shell.ctl("agents", "instruct", "plant-1", "rotate-keys", "--expires-in", "60", "--json");

    assertThat(told.out()).contains("told plant-1 to restart-plugin");
    assertThat(parsed(machine.out()).path("sequence").asInt()).isEqualTo(7);
    assertThat(broker.asked())
        .extracting(FakeBroker.Asked::body)
        .contains(
            "{\"kind\":\"restart-plugin\",\"system\":\"erp\"}",
            "{\"kind\":\"rotate-keys\",\"expires_in_seconds\":60}");
  }

  @Test
  void labelsAreSetAndTakenAway() throws Exception {
    broker.when("PATCH /api/v1/agents/plant-1", 200, "{\"labels\":{\"hall\":\"7=b\"}}");
    shell.login(broker);

    Shell.Result people = shell.ctl("agents", "label", "plant-1", "hall=7=b", "note=", "line-");
    Shell.Result machine = shell.ctl("agents", "label", "plant-1", "hall=7=b", "--json");

    assertThat(people.exitCode()).isZero();
    assertThat(people.out()).contains("labelled plant-1");
    assertThat(machine.exitCode()).isZero();
    assertThat(parsed(machine.out()).path("labels").path("hall").asText()).isEqualTo("7=b");
    assertThat(broker.asked().get(1).body())
        .isEqualTo("{\"labels\":{\"hall\":\"7=b\",\"note\":\"\",\"line\":null}}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"hall", "=7", "-", "hall=7 hall-"})
  void whatIsNoLabelIsWrongUsage(String changes) throws Exception {
    shell.login(broker);
    var arguments = new java.util.ArrayList<>(List.of("agents", "label", "plant-1"));
    arguments.addAll(List.of(changes.split(" ", -1)));

    Shell.Result result = shell.ctl(arguments.toArray(String[]::new));

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains("expected");
  }

  @Test
  void aWrongFingerprintIsSaidWithItsRequestId() throws Exception {
    broker.when("POST /api/v1/agents/plant-1/approve", 409, PROBLEM);
    shell.login(broker);

    Shell.Result people = shell.ctl("agents", "approve", "plant-1", "--fingerprint", "XXXX-XXXX");
    Shell.Result machine =
        shell.ctl("agents", "approve", "plant-1", "--fingerprint", "XXXX-XXXX", "--json");

    assertThat(people.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(people.out()).isEmpty();
    assertThat(people.err().strip())
        .isEqualTo(
            "penstock ctl: wrong fingerprint: it is not the agent's (HTTP 409, request req-7)");
    assertThat(machine.out()).isEmpty();
    assertThat(parsed(machine.err()).path("request_id").asText()).isEqualTo("req-7");
  }

  @Test
  void approvingWithoutAFingerprintIsWrongUsage() {
    Shell.Result result = shell.ctl("agents", "approve", "plant-1");

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains("--fingerprint");
  }

  @ParameterizedTest
  @ValueSource(strings = {"reject", "revoke", "disconnect"})
  void actsOnAnAgent(String verb) throws Exception {
    broker.when("POST /api/v1/agents/plant%2F1/" + verb, 204, "");
    shell.login(broker);

    Shell.Result result = shell.ctl("agents", verb, "plant/1");

    assertThat(result.exitCode()).isZero();
    assertThat(broker.lastAsked().line()).isEqualTo("POST /api/v1/agents/plant%2F1/" + verb);
  }

  @Test
  void escapeSequencesFromTheNetworkNeverReachTheTerminal() throws Exception {
    broker.when("GET /api/v1/agents", 200, "[{\"id\":\"x\\u001b[2Jy\",\"site\":\"s\\nt\"}]");
    shell.login(broker);

    Shell.Result result = shell.ctl("agents");

    assertThat(result.out()).doesNotContain("\u001b").contains("x [2Jy", "s t");
  }

  @Test
  void tokenGoesToAPrivateFileAndNotToTheScreen() throws Exception {
    broker.when(
        "POST /api/v1/enrollment-tokens",
        201,
        "{\"id\":\"t1\",\"token\":\"pen1.secret\",\"expires_at\":\"2026-11-21T13:00:00Z\"}");
    shell.login(broker);
    Path file = home.resolve("plant-1.token");

    Shell.Result result =
        shell.ctl(
            "token",
            "create",
            "--agent",
            "plant-1",
            "--site",
            "hamburg",
            "--label",
            "line=3",
            "--label",
            "hall=a",
            "--ttl",
            "600",
            "--cidr",
            "10.0.0.0/8",
            "--reenroll",
            "--out",
            file.toString());

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("t1").doesNotContain("pen1.secret");
    assertThat(file).hasContent("pen1.secret\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(parsed(broker.lastAsked().body()))
        .isEqualTo(
            parsed(
                """
                {"ttl_seconds":600,"agent":"plant-1","site":"hamburg","labels":{"line":"3","hall":"a"},
                 "allowed_cidrs":["10.0.0.0/8"],"reenroll":true}
                """));
  }

  @Test
  void tokenAloneIsPrintedForAPipe() throws Exception {
    broker.when("POST /api/v1/enrollment-tokens", 201, "{\"id\":\"t1\",\"token\":\"pen1.secret\"}");
    shell.login(broker);

    assertThat(shell.ctl("token", "create").out()).isEqualTo("pen1.secret\n");
    assertThat(broker.lastAsked().body()).isEqualTo("{\"ttl_seconds\":3600}");
  }

  @Test
  void usersAreCreatedWithAPasswordFromStandardInput() throws Exception {
    broker.when("POST /api/v1/users", 201, "{\"email\":\"eve@example.com\"}");
    shell.login(broker);

    Shell.Result result =
        shell.ctlWithInput(
            "long enough\n",
            "user",
            "create",
            "eve@example.com",
            "--role",
            "Operator",
            "--password-stdin");

    assertThat(result.exitCode()).isZero();
    assertThat(broker.lastAsked().body())
        .isEqualTo(
            """
            {"email":"eve@example.com","role":"Operator","password":"long enough"}\
            """);
  }

  @Test
  void usersGetAnotherRoleOtherAgentsAndAnotherPassword() throws Exception {
    broker.when("PATCH /api/v1/users/eve@example.com", 200, "{\"email\":\"eve@example.com\"}");
    broker.when("POST /api/v1/users/eve@example.com/password", 204, "");
    shell.login(broker);

    Shell.Result changed =
        shell.ctl(
            "user", "change", "eve@example.com", "--role", "Engineer", "--access", "site:berlin");
    assertThat(changed.exitCode()).as(changed.err()).isZero();
    assertThat(broker.lastAsked().body())
        .isEqualTo(
            """
            {"role":"Engineer","gateway_access":["site:berlin"]}\
            """);
    assertThat(shell.ctl("user", "change", "eve@example.com").exitCode())
        .isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(
            shell
                .ctl("user", "change", "eve@example.com", "--all-agents", "--access", "site:a")
                .exitCode())
        .isEqualTo(ExitCode.WRONG_USAGE);
    Shell.Result set =
        shell.ctlWithInput(
            "long enough\n", "user", "password", "eve@example.com", "--password-stdin");
    assertThat(set.exitCode()).as(set.err()).isZero();
    assertThat(broker.lastAsked().body()).isEqualTo("{\"password\":\"long enough\"}");
  }

  @Test
  void addressesAreBlockedListedAndLetInAgain() throws Exception {
    broker.when("POST /api/v1/blocks", 201, "{\"cidr\":\"203.0.113.0/24\"}");
    broker.when("GET /api/v1/blocks", 200, "[{\"cidr\":\"203.0.113.0/24\",\"reason\":\"x\"}]");
    broker.when("DELETE /api/v1/blocks?cidr=203.0.113.0%2F24", 204, "");
    shell.login(broker);

    Shell.Result added =
        shell.ctl("blocks", "add", "203.0.113.0/24", "--reason", "guessing", "--ttl", "3600");
    assertThat(added.exitCode()).as(added.err()).isZero();
    assertThat(broker.lastAsked().body())
        .isEqualTo(
            """
            {"cidr":"203.0.113.0/24","reason":"guessing","ttl_seconds":3600}\
            """);
    assertThat(shell.ctl("blocks").out()).contains("203.0.113.0/24");
    assertThat(shell.ctl("blocks", "remove", "203.0.113.0/24").exitCode()).isZero();
  }

  @Test
  void serviceAccountsAreCreatedAndGetTokens() throws Exception {
    broker
        .when("POST /api/v1/service-accounts", 201, "{\"name\":\"billing\"}")
        .when("POST /api/v1/service-accounts/billing/tokens", 201, "{\"token\":\"service-token\"}");
    shell.login(broker);

    shell.ctl(
        "service-account",
        "create",
        "billing",
        "--system",
        "hamburg/erp",
        "--system",
        "hamburg/crm");
    String created = broker.lastAsked().body();
    Shell.Result token = shell.ctl("service-account", "token", "billing", "--ttl", "60");

    assertThat(created)
        .isEqualTo("{\"name\":\"billing\",\"systems\":[\"hamburg/erp\",\"hamburg/crm\"]}");
    assertThat(token.out()).isEqualTo("service-token\n");
    assertThat(broker.lastAsked().body()).isEqualTo("{\"ttl_seconds\":60}");
  }

  @Test
  void auditFiltersAreEscaped() throws Exception {
    String line =
        "GET /api/v1/audit?user=a%26b@c&event_type=user.created&reason=x&from=2026-11-01T00%3A00%3A00Z";
    broker.when(line, 200, "[]");
    shell.login(broker);

    Shell.Result result =
        shell.ctl(
            "audit",
            "list",
            "--user",
            "a&b@c",
            "--event-type",
            "user.created",
            "--reason",
            "x",
            "--from",
            "2026-11-01T00:00:00Z");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).isEqualTo("none\n");
  }

  @Test
  void tokenThatIsOverIsRenewedBeforeTheCall() throws Exception {
    broker
        .when("GET /api/v1/agents", 200, AGENTS)
        .when("POST /api/v1/auth/refresh", 200, REFRESHED);
    shell.login(broker);

    Shell.Result result = at(NOW.plus(Duration.ofMinutes(20))).ctl("agents");

    assertThat(result.exitCode()).isZero();
    assertThat(lines())
        .containsExactly(
            "POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "GET /api/v1/agents");
    assertThat(broker.asked().get(1).body()).isEqualTo("{\"refresh_token\":\"refresh-1\"}");
    assertThat(broker.lastAsked().authorization()).isEqualTo("Bearer access-2");
    assertThat(Files.readString(shell.sessionFile()))
        .contains("refresh-2")
        .doesNotContain("refresh-1");
  }

  @Test
  void tokenRefusedByTheBrokersClockIsRenewedOnce() throws Exception {
    broker
        .when("GET /api/v1/agents", 401, "{\"title\":\"token expired\"}")
        .when("GET /api/v1/agents", 200, AGENTS)
        .when("POST /api/v1/auth/refresh", 200, REFRESHED);
    shell.login(broker);

    assertThat(shell.ctl("agents").exitCode()).isZero();
    assertThat(lines())
        .endsWith("GET /api/v1/agents", "POST /api/v1/auth/refresh", "GET /api/v1/agents");
  }

  @Test
  void sessionThatIsOverIsRefusedForGood() throws Exception {
    broker
        .when("GET /api/v1/agents", 401, "{\"title\":\"token expired\"}")
        .when("POST /api/v1/auth/refresh", 401, "{\"title\":\"session over\"}");
    shell.login(broker);

    Shell.Result result = shell.ctl("agents");

    assertThat(result.exitCode()).isEqualTo(ExitCode.REFUSED_FOR_GOOD);
    assertThat(result.err()).contains("sign in again");
  }

  @Test
  void refreshTokenRenewedByAnotherProcessIsNotShownAgain() throws Exception {
    broker
        .when("GET /api/v1/agents", 200, AGENTS)
        .when("POST /api/v1/auth/refresh", 200, REFRESHED);
    shell.login(broker);
    Shell later = at(NOW.plus(Duration.ofMinutes(20)));
    later.ctl("agents");

    later.ctl("agents");

    assertThat(lines().stream().filter("POST /api/v1/auth/refresh"::equals)).hasSize(1);
  }

  @Test
  void withoutASessionItSaysHowToSignIn() {
    Shell.Result result = shell.ctl("agents");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("penstock ctl login");
  }

  @Test
  void logoutEndsTheSessionHereEvenIfTheBrokerIsGone() throws Exception {
    shell.login(broker);
    broker.close();

    Shell.Result result = shell.ctl("logout");

    assertThat(result.exitCode()).isEqualTo(ExitCode.CANNOT_REACH);
    assertThat(shell.sessionFile()).doesNotExist();
  }

  @Test
  void aClosedPortIsCannotReachAtTcp() throws Exception {
    int closed;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closed = socket.getLocalPort();
    }

    Shell.Result result = loginAt("https://localhost:" + closed);

    assertThat(result.exitCode()).isEqualTo(ExitCode.CANNOT_REACH);
    assertThat(parsed(result.err()).path("stage").asText()).isEqualTo("TCP");
  }

  @Test
  void anUnknownHostIsCannotReachAtDns() {
    Shell.Result result = loginAt("https://no-such-host.invalid:8443");

    assertThat(result.exitCode()).isEqualTo(ExitCode.CANNOT_REACH);
    assertThat(parsed(result.err()).path("stage").asText()).isEqualTo("DNS");
  }

  @Test
  void aCertificateOfAnotherCaIsCannotReachAtTls() {
    Shell.Result result = loginAt(broker.url().toString());

    assertThat(result.exitCode()).isEqualTo(ExitCode.CANNOT_REACH);
    assertThat(parsed(result.err()).path("stage").asText()).isEqualTo("TLS");
    assertThat(result.err()).contains("CN=localhost", "CN=test CA");
    assertThat(broker.asked()).isEmpty();
  }

  @Test
  void invokeStreamsTheAnswerAndItsExitCodeFollowsTheStatus() throws Exception {
    broker
        .when("GET /invoke/hamburg/erp/api/orders?open=1", 200, "[1,2]")
        .when("GET /invoke/hamburg/erp/error", 500, "broken inside");
    shell.login(broker);

    Shell.Result fine = shell.ctl("invoke", "hamburg/erp", "/api/orders?open=1");
    Shell.Result error = shell.ctl("invoke", "hamburg/erp", "/error");

    assertThat(fine).isEqualTo(new Shell.Result(0, "[1,2]", ""));
    assertThat(error).isEqualTo(new Shell.Result(1, "broken inside", ""));
  }

  @Test
  void invokeSendsMethodBodyAndHeaders() throws Exception {
    broker.when("PUT /invoke/hamburg/erp/upload", 200, "{}");
    shell.login(broker);
    Path file = Files.writeString(home.resolve("body.txt"), "from a file");

    shell.ctl(
        "invoke",
        "hamburg/erp",
        "/upload",
        "-X",
        "PUT",
        "-d",
        "@" + file,
        "-H",
        "Content-Type: text/plain");

    assertThat(broker.lastAsked().body()).isEqualTo("from a file");
    assertThat(broker.lastAsked().headers().get("Content-type")).isEqualTo(List.of("text/plain"));
  }

  @Test
  void theCallersOwnAuthorizationGoesToTheSystem() throws Exception {
    broker.when("POST /invoke/hamburg/erp/", 200, "{}");
    shell.login(broker);

    shell.ctl("invoke", "hamburg/erp", "-d", "x", "-H", "Authorization: Basic abc");

    assertThat(broker.lastAsked().authorization()).isEqualTo("Basic abc");
    assertThat(broker.lastAsked().headers().get("Penstock-authorization"))
        .isEqualTo(List.of("Bearer access-1"));
  }

  @Test
  void aRefusalByPenstockIsTakenForNoAnswerOfTheSystem() throws Exception {
    broker.when(
        "GET /invoke/hamburg/erp/secret",
        403,
        Map.of("Penstock-Error", "not-exposed"),
        "{\"title\":\"not exposed\",\"status\":403,\"request_id\":\"req-9\"}");
    shell.login(broker);

    Shell.Result result = shell.ctl("invoke", "hamburg/erp", "/secret");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("not exposed", "req-9");
  }

  @Test
  void invokeAsJsonHoldsStatusHopTimesAndBody() throws Exception {
    broker.when(
        "GET /invoke/hamburg/erp/x", 200, Map.of("Server-Timing", "broker;dur=0.1"), "{\"a\":1}");
    shell.login(broker);

    JsonNode answer = parsed(shell.ctl("invoke", "hamburg/erp", "/x", "--json").out());

    assertThat(answer.path("status").asInt()).isEqualTo(200);
    assertThat(answer.path("headers").path("server-timing").asText()).isEqualTo("broker;dur=0.1");
    assertThat(answer.path("body").path("a").asInt()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"erp", "a/b/c", "/erp", "hamburg/"})
  void refusesWhatNamesNoSystem(String target) throws Exception {
    shell.login(broker);

    assertThat(shell.ctl("invoke", target).exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
  }

  @Test
  void aRestoreIsNoMatterOfTheApi() {
    Shell.Result result = shell.ctl("restore", "x", "--passphrase-file", "y");

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains("penstock broker restore");
  }

  @Test
  void commandsThatAreNotThereSaySo() {
    Shell.Result result = shell.ctl("forward", "5432", "hamburg/db");

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("is not in this version");
  }

  @Test
  void everyCommandHasHelp() {
    for (String line :
        List.of(
            "",
            "login",
            "system",
            "system put",
            "system deploy",
            "system get",
            "messages",
            "token",
            "token create",
            "agents",
            "agents approve",
            "user",
            "user create",
            "user change",
            "user password",
            "blocks",
            "blocks add",
            "service-account",
            "invoke",
            "audit",
            "audit list",
            "backup",
            "backup verify",
            "alarms",
            "alarms list",
            "alarms kinds",
            "alarms acknowledge",
            "alarms silence",
            "alarms silences",
            "alarms unsilence",
            "times",
            "times hops",
            "times requests")) {
      String[] args = (line + " --help").strip().split(" ");

      Shell.Result result = shell.ctl(args);

      assertThat(result.exitCode()).as(line).isZero();
      assertThat(result.out()).as(line).contains("Usage: penstock ctl", "--json");
    }
  }

  @Test
  void alarmsAreListedWithTheirFilters() throws Exception {
    broker.when(
        "GET /api/v1/alarms?state=open&severity=high&subject=press-1",
        200,
        "[{\"id\":17,\"kind\":\"agent-offline\",\"severity\":\"high\",\"state\":\"open\","
            + "\"subject\":\"press-1\",\"message\":\"no tunnel\",\"occurrences\":1}]");
    shell.login(broker);

    Shell.Result result =
        shell.ctl(
            "alarms", "list", "--state", "open", "--severity", "high", "--subject", "press-1");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out()).contains("17", "agent-offline", "press-1", "no tunnel");
  }

  @Test
  void anAlarmIsAcknowledgedWithANote() throws Exception {
    broker.when("POST /api/v1/alarms/17/acknowledge", 200, "{\"id\":17}");
    shell.login(broker);

    Shell.Result result = shell.ctl("alarms", "acknowledge", "17", "--note", "moved");

    assertThat(result.out()).isEqualTo("acknowledged alarm 17\n");
    assertThat(broker.lastAsked().body()).isEqualTo("{\"note\":\"moved\"}");
  }

  @Test
  void aSilenceEndsAfterTheTimeThatWasGiven() throws Exception {
    broker.when("POST /api/v1/silences", 201, "{\"id\":3}");
    broker.when("DELETE /api/v1/silences/3", 204, "");
    broker.when("GET /api/v1/silences", 200, "[{\"id\":3,\"subject\":\"press-1\"}]");
    shell.login(broker);
    Instant before = Instant.now();

    Shell.Result made =
        shell.ctl(
            "alarms", "silence", "--subject", "press-1", "--for", "2h", "--reason", "it is moved");

    assertThat(made.exitCode()).as(made.err()).isZero();
    JsonNode body = parsed(broker.lastAsked().body());
    assertThat(body.path("subject").asText()).isEqualTo("press-1");
    assertThat(body.path("reason").asText()).isEqualTo("it is moved");
    assertThat(Instant.parse(body.path("until").asText()))
        .isBetween(before.plusSeconds(7_200), before.plusSeconds(7_260));
    assertThat(shell.ctl("alarms", "silences").out()).contains("3", "press-1");
    assertThat(shell.ctl("alarms", "unsilence", "3").out()).isEqualTo("removed silence 3\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"soon", "0m", "-1h", "2", "h", "1w"})
  void aTimeThatIsNoneIsWrongUsage(String time) throws Exception {
    shell.login(broker);

    Shell.Result result =
        shell.ctl("alarms", "silence", "--kind", "disk-low", "--for=" + time, "--reason", "r");

    assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains("--for: expected a time such as 30m, 2h or 3d");
  }

  @Test
  void anUnknownCommandIsWrongUsage() {
    assertThat(shell.ctl("nonsense").exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
  }

  private Shell.Result loginAt(String url) {
    return shell.ctlWithInput(
        "pw\n", "login", "--url", url, "--user", "a@b", "--password-stdin", "--json");
  }

  private List<String> lines() {
    return broker.asked().stream().map(FakeBroker.Asked::line).toList();
  }

  private static JsonNode parsed(String text) {
    return Json.parse(text.getBytes(StandardCharsets.UTF_8)).orElseThrow();
  }
}
