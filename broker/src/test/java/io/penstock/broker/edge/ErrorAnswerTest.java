package io.penstock.broker.edge;

import static io.penstock.broker.edge.EdgeRig.get;
import static io.penstock.broker.edge.EdgeRig.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.routing.Route;
import io.penstock.codec.ErrorCode;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The contract's error table, and who gets in.
@Timeout(30)
class ErrorAnswerTest {
  private final EdgeRig rig = new EdgeRig(true);

  @AfterEach
  void stop() throws IOException {
    rig.close();
  }

  private static void assertProblem(RawCaller.Answer answer, int status, String code) {
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.field("penstock-error")).isEqualTo(code);
    assertThat(answer.field("content-type")).isEqualTo("application/problem+json");
    assertThat(answer.field("content-security-policy")).isEqualTo("sandbox");
    assertThat(answer.field("x-content-type-options")).isEqualTo("nosniff");
    String id = answer.field("penstock-request-id");
    assertThat(id).matches("[0-9a-f]{32}");
    assertThat(answer.body())
        .contains("\"status\":" + status)
        .contains("\"title\":\"" + code + "\"")
        .contains("\"request_id\":\"" + id + "\"");
  }

  @ParameterizedTest
  @CsvSource({
    "UNKNOWN_TARGET, 404, unknown-target",
    "NOT_EXPOSED, 403, not-exposed",
    "OVERLOADED, 503, overloaded",
    "CONNECT_FAILED, 502, connect-failed",
    "SYSTEM_CLOSED, 502, system-closed",
    "BAD_ANSWER, 502, system-closed",
    "INTERNAL, 502, system-closed",
    "STREAM_STATE, 502, system-closed",
    "NO_ERROR, 502, system-closed",
    "DEADLINE, 504, deadline",
    "TOO_LARGE, 413, too-large",
    "BAD_REQUEST, 400, bad-request"
  })
  void mapsWhatTheAgentSays(ErrorCode code, int status, String error) throws Exception {
    rig.tunnel(call -> call.reset(code, false));
    RawCaller caller = rig.caller();

    assertProblem(caller.exchange(get("/invoke/plant/erp/")), status, error);
    assertProblem(caller.exchange(get("/invoke/plant/erp/again")), status, error);
    assertThat(rig.record().verdict()).isEqualTo(error);
  }

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void hasAnAnswerForEveryCode(ErrorCode code) {
    InvocationProblem problem = ErrorAnswers.of(code, false);

    assertThat(problem.status()).isBetween(400, 504);
  }

  @Test
  void knowsNoSuchTarget() throws Exception {
    assertProblem(rig.caller().exchange(get("/invoke/nowhere/erp/")), 404, "unknown-target");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/invoke", "/invoke/", "/invoke/plant", "/invoke/plant/", "/invoke/pl~nt/erp/"})
  void knowsNoTargetInAnIncompletePath(String target) throws Exception {
    rig.tunnel(call -> call.head(200, true));

    assertProblem(rig.caller().exchange(get(target)), 404, "unknown-target");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/invoke/plant/erp/a/../b",
        "/invoke/plant/../erp/",
        "/invoke/plant/erp/%2e%2e/b",
        "/invoke/plant/erp//b",
        "/invoke//erp/b",
        "/invoke/plant/erp/a%2fb",
        "/invoke/plant/erp/a%5Cb",
        "/invoke/plant/erp/a%00b",
        "/invoke/plant/erp/a\\b"
      })
  void refusesPathsWithMoreThanOneReading(String target) throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));

    assertProblem(rig.caller().exchange(get(target)), 400, "bad-request");
    assertThat(tunnel.sawNoCall()).isTrue();
  }

  @Test
  void saysThatNoRuleExposesIt() throws Exception {
    rig.route = new Route.NotExposed();

    assertProblem(rig.caller().exchange(get("/invoke/plant/erp/")), 403, "not-exposed");
  }

  @Test
  void saysThatTheAgentIsOffline() throws Exception {
    rig.route = new Route.Offline(false);

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertProblem(answer, 503, "agent-offline");
    assertThat(answer.field("retry-after")).isEqualTo("2");
  }

  @Test
  void waitsForAnAgentThatReconnectsAndThenGivesUp() throws Exception {
    rig.route = new Route.Offline(true);
    rig.reconnectWait(Duration.ofMillis(150));
    long began = System.nanoTime();

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertProblem(answer, 503, "agent-offline");
    assertThat(System.nanoTime() - began).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(140));
  }

  @Test
  void servesACallThatWaitedForItsAgent() throws Exception {
    rig.route = new Route.Offline(true);
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    rig.routing.awaited.take();

    rig.tunnel(call -> call.head(200, true));
    rig.routing.change.complete(null);

    assertThat(caller.answer().status()).isEqualTo(200);
  }

  @Test
  void doesNotWaitWhereTooManyWaitAlready() throws Exception {
    rig.route = new Route.Offline(true);
    rig.routing.change.complete(null);

    assertProblem(rig.caller().exchange(get("/invoke/plant/erp/")), 503, "agent-offline");
  }

  @Test
  void saysOverloadedWhenNoSessionHasRoom() throws Exception {
    var tunnel = new FakeTunnel(rig.tunnelLoop(), 1, _ -> {});
    rig.route(tunnel);
    rig.caller().send(get("/invoke/plant/erp/holds-the-only-stream"));
    tunnel.call();

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertProblem(answer, 503, "overloaded");
    assertThat(answer.field("retry-after")).isEqualTo("1");
  }

  @Test
  void saysThatTheTunnelWasLost() throws Exception {
    FakeTunnel tunnel = rig.tunnel(_ -> {});
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/plant/erp/", "Content-Length: 1") + "x");
    tunnel.call().body.get(5, TimeUnit.SECONDS);

    tunnel.lose(ErrorCode.SILENT);

    RawCaller.Answer answer = caller.answer();
    assertProblem(answer, 503, "agent-offline");
    assertThat(answer.body()).contains("may have reached the system");
  }

  @Test
  void refusesAHeadThatIsTooLarge() throws Exception {
    String large = "X-Large: " + "x".repeat(33 * 1024);

    RawCaller.Answer answer = rig.caller().exchange(request("GET", "/invoke/plant/erp/", large));

    assertProblem(answer, 431, "too-large");
  }

  @Test
  void refusesAHeadThatOnlyTheTunnelFindsTooLarge() throws Exception {
    rig.caller = new Caller("c".repeat(300), (_, _) -> true);
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));
    String request = request("GET", "/invoke/plant/erp/", "X-Large: ");
    String filled =
        request.replace("X-Large: ", "X-Large: " + "x".repeat(32 * 1024 - request.length()));

    RawCaller.Answer answer = rig.caller().exchange(filled);

    assertProblem(answer, 431, "too-large");
    assertThat(tunnel.sawNoCall()).isTrue();
  }

  @Test
  void refusesWhatTheGateRefuses() throws Exception {
    RawCaller caller = rig.caller();

    RawCaller.Answer answer =
        caller.exchange(
            request(
                "POST", "/invoke/plant/erp/", "Content-Length: 1", "Transfer-Encoding: chunked"));

    assertProblem(answer, 400, "bad-request");
    assertThat(answer.field("connection")).isEqualTo("close");
    assertThat(caller.isAtEnd()).isTrue();
  }

  @Test
  void answersWhatCameBeforeAMalformedRequest() throws Exception {
    rig.tunnel(call -> call.head(200, true));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/") + "\0\r\n\r\n");

    assertThat(caller.answer().status()).isEqualTo(200);
    assertThat(caller.answer().status()).isEqualTo(400);
    assertThat(caller.isAtEnd()).isTrue();
  }

  @Test
  void doesNotUpgrade() throws Exception {
    RawCaller caller = rig.caller();

    RawCaller.Answer answer =
        caller.exchange(
            request("GET", "/invoke/plant/erp/", "Connection: Upgrade", "Upgrade: websocket"));

    assertProblem(answer, 501, "not-implemented");
    assertThat(caller.isAtEnd()).isTrue();
  }

  @Test
  void answersHeadWithAProblemsFieldsOnly() throws Exception {
    RawCaller caller = rig.caller().send(request("HEAD", "/invoke/nowhere/erp/"));

    RawCaller.Answer answer = caller.answer(false);

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.field("content-length")).isNotEmpty();
    assertThat(caller.send(request("HEAD", "/invoke/nowhere/erp/")).answer(false).status())
        .isEqualTo(404);
  }

  @Test
  void goesOnAfterAnErrorWhoseBodyWasSmall() throws Exception {
    RawCaller caller = rig.caller();

    RawCaller.Answer refused =
        caller.exchange(request("POST", "/invoke/nowhere/erp/", "Content-Length: 3") + "abc");
    rig.tunnel(call -> call.head(200, true));

    assertThat(refused.status()).isEqualTo(404);
    assertThat(refused.field("connection")).isEmpty();
    assertThat(caller.exchange(get("/invoke/plant/erp/")).status()).isEqualTo(200);
  }

  @Test
  void closesAfterAnErrorWhoseBodyHasNoKnownEnd() throws Exception {
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/nowhere/erp/", "Transfer-Encoding: chunked"));

    assertThat(caller.answer().field("connection")).isEqualTo("close");
    caller.send("5\r\nhello\r\n");
    assertThat(caller.isAtEnd()).isTrue();
  }

  // Who gets in.

  @ParameterizedTest
  @ValueSource(
      strings = {
        "X-Nothing: 1",
        "Authorization: Basic Z29vZC10b2tlbg==",
        "Authorization: Bearer",
        "Authorization: Bearer other-token",
        "Cookie: penstock=good-token",
        "Authorization: Bearer good-token\r\nAuthorization: Bearer good-token",
        "Authorization: Bearer good-token\r\nPenstock-Authorization: Bearer other-token",
        "Authorization: Bearer good-token\r\nPenstock-Authorization: Basic x"
      })
  void letsNobodyInWithoutAGoodToken(String lines) throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));
    RawCaller caller = rig.caller();

    RawCaller.Answer answer =
        caller.exchange("GET /invoke/plant/erp/ HTTP/1.1\r\nHost: b\r\n" + lines + "\r\n\r\n");

    assertProblem(answer, 401, "unauthorized");
    assertThat(answer.field("www-authenticate")).startsWith("Bearer");
    assertThat(tunnel.sawNoCall()).isTrue();
    assertThat(caller.exchange(get("/invoke/plant/erp/")).status()).isEqualTo(200);
  }

  @Test
  void forbidsWhatTheCallerMayNotInvoke() throws Exception {
    rig.caller = new Caller("svc", (site, system) -> site.equals("plant") && system.equals("crm"));
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));
    RawCaller caller = rig.caller();

    assertProblem(caller.exchange(get("/invoke/plant/erp/")), 403, "forbidden");
    assertThat(tunnel.sawNoCall()).isTrue();
    assertThat(caller.exchange(get("/invoke/plant/crm/")).status()).isEqualTo(200);
  }

  @Test
  void limitsTheRate() throws Exception {
    rig.rateLimit = (_, _, _) -> 7;

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertProblem(answer, 429, "rate-limited");
    assertThat(answer.field("retry-after")).isEqualTo("7");
  }

  @Test
  void authenticatesOffTheLoopWithTheBodyWaiting() throws Exception {
    var found = new CompletableFuture<CallerVerdict>();
    rig.authentication = answering(found);
    FakeTunnel tunnel =
        rig.tunnel(call -> call.whenRead(body -> call.head(200, false).data(body, true)));
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/plant/erp/", "Content-Length: 4") + "body");
    assertThat(tunnel.sawNoCall()).isTrue();

    found.complete(new CallerVerdict.Known(rig.caller));

    assertThat(caller.answer().body()).isEqualTo("body");
  }

  @Test
  void saysOverloadedWhenCallersCannotBeAuthenticated() throws Exception {
    rig.authentication =
        answering(CompletableFuture.completedFuture(new CallerVerdict.Unavailable()));

    assertProblem(rig.caller().exchange(get("/invoke/plant/erp/")), 503, "overloaded");
  }

  @Test
  void passesOnThatTooManyTokensWereTried() throws Exception {
    rig.authentication =
        answering(CompletableFuture.completedFuture(new CallerVerdict.Limited(30)));

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertProblem(answer, 429, "rate-limited");
    assertThat(answer.field("retry-after")).isEqualTo("30");
  }

  private static Callers answering(CompletionStage<CallerVerdict> verdict) {
    return new Callers() {
      @Override
      public Optional<Caller> cached(BearerToken token) {
        return Optional.empty();
      }

      @Override
      public CompletionStage<CallerVerdict> authenticate(BearerToken token, SocketAddress remote) {
        return verdict;
      }
    };
  }
}
