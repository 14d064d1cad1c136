package io.penstock.broker.edge;

import static io.penstock.broker.edge.EdgeRig.get;
import static io.penstock.broker.edge.EdgeRig.getHttp10;
import static io.penstock.broker.edge.EdgeRig.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.ErrorCode;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/// Requests and answers as callers see them, with the tunnel on the connection's loop and on
/// another.
@ParameterizedClass(name = "two loops: {0}")
@ValueSource(booleans = {false, true})
@Timeout(30)
class InvocationTest {
  @Parameter boolean twoLoops;

  private EdgeRig rig = new EdgeRig(false);

  @BeforeEach
  void start() {
    rig = new EdgeRig(twoLoops);
  }

  @AfterEach
  void stop() throws IOException {
    rig.close();
  }

  @Test
  void carriesRequestAndAnswer() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(
            call ->
                call.head(200, false, "Content-Type", "text/plain", "Content-Length", "5")
                    .data("hello", true));

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/api/x%20y?a=1&b=%2f"));

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body()).isEqualTo("hello");
    assertThat(answer.field("content-type")).isEqualTo("text/plain");
    assertThat(answer.field("penstock-request-id")).matches("[0-9a-f]{32}");
    assertThat(answer.field("content-security-policy")).isEqualTo("sandbox");
    assertThat(answer.field("x-content-type-options")).isEqualTo("nosniff");
    FakeTunnel.Call call = tunnel.call();
    assertThat(call.request.method().toString()).isEqualTo("GET");
    assertThat(call.request.path().toString()).isEqualTo("/api/x%20y?a=1&b=%2f");
    assertThat(call.open.system().toString()).isEqualTo("erp");
    assertThat(call.open.caller().toString()).isEqualTo("svc-orders");
    assertThat(call.open.ids().requestId()).isEqualTo(answer.field("penstock-request-id"));
    assertThat(call.withoutBody).isTrue();
    assertThat(rig.routing.asked.take()).isEqualTo("plant erp GET /api/x%20y");
  }

  @Test
  void reportsWhereTheTimeWent() throws Exception {
    rig.tunnel(call -> call.head(204, 1_234, 5_000_007, true));

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertThat(answer.field("server-timing"))
        .matches(
            "broker;dur=\\d+\\.\\d{3}, tunnel;dur=0\\.000, agent;dur=1\\.234,"
                + " system;dur=5000\\.007");
    InvocationRecord record = rig.record();
    assertThat(record.hops().agent()).isEqualTo(1_234);
    assertThat(record.hops().system()).isEqualTo(5_000_007);
    assertThat(record.verdict()).isEqualTo("ok");
    assertThat(record.status()).isEqualTo(204);
    assertThat(record.caller()).isEqualTo("svc-orders");
    assertThat(record.site()).isEqualTo("plant");
    assertThat(record.system()).isEqualTo("erp");
  }

  @Test
  void keepsTheConnectionForTheNextRequest() throws Exception {
    rig.tunnel(call -> call.head(200, false).data(call.request.path().toString(), true));
    RawCaller caller = rig.caller();

    for (int i = 0; i < 20; i++) {
      assertThat(caller.exchange(get("/invoke/plant/erp/" + i)).body()).isEqualTo("/" + i);
    }
  }

  @Test
  void answersPipelinedRequestsInOrder() throws Exception {
    rig.tunnel(
        call ->
            call.whenRead(
                body -> call.head(200, false).data(call.request.path().toString() + body, true)));
    RawCaller caller = rig.caller();
    var all = new StringBuilder();

    for (int i = 0; i < 200; i++) {
      all.append(
          i % 2 == 0
              ? get("/invoke/plant/erp/" + i)
              : request("POST", "/invoke/plant/erp/" + i, "Content-Length: 5") + "-body");
    }
    caller.send(all.toString());

    for (int i = 0; i < 200; i++) {
      assertThat(caller.answer().body()).isEqualTo("/" + i + (i % 2 == 0 ? "" : "-body"));
    }
  }

  @Test
  void forwardsABodyOfKnownLength() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(call -> call.whenRead(body -> call.head(200, false).data(body, true)));

    RawCaller.Answer answer =
        rig.caller()
            .exchange(request("POST", "/invoke/plant/erp/", "Content-Length: 11") + "hello world");

    assertThat(answer.body()).isEqualTo("hello world");
    FakeTunnel.Call call = tunnel.call();
    assertThat(call.withoutBody).isFalse();
    assertThat(call.field("content-length")).isEqualTo("11");
  }

  @Test
  void forwardsChunksAndTrailers() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(call -> call.whenRead(body -> call.head(200, false).data(body, true)));

    RawCaller.Answer answer =
        rig.caller()
            .exchange(
                request("POST", "/invoke/plant/erp/", "Transfer-Encoding: chunked")
                    + "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Check: 7\r\n\r\n");

    assertThat(answer.body()).isEqualTo("abcde");
    FakeTunnel.Call call = tunnel.call();
    assertThat(call.field("transfer-encoding")).isEmpty();
    assertThat(call.field("content-length")).isEmpty();
    assertThat(call.trailers.get(5, TimeUnit.SECONDS).name(0)).hasToString("X-Check");
    assertThat(call.trailers.get(5, TimeUnit.SECONDS).value(0)).hasToString("7");
  }

  @Test
  void passesTrailersOfTheAnswer() throws Exception {
    rig.tunnel(call -> call.head(200, false).data("x", false).trailers("X-Sum", "42"));

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertThat(answer.body()).isEqualTo("x");
    assertThat(answer.trailers()).containsExactly("X-Sum: 42");
  }

  @Test
  void leavesReadingToOthersUnlessItsOwnBodyIsSlow() throws Exception {
    rig.tunnel(call -> call.whenRead(body -> call.head(200, false).data(body, true)));
    RawCaller caller = rig.caller();
    caller.exchange(get("/invoke/plant/erp/"));
    // As a handler in front does that holds the next requests back.
    rig.onlyConnection().config().setAutoRead(false);

    rig.decoded(rig.onlyConnection(), "POST", "/invoke/plant/erp/", "ab");

    assertThat(caller.answer().body()).isEqualTo("ab");
    assertThat(rig.onlyConnection().config().isAutoRead()).isFalse();
  }

  @Test
  void passesEventsOneByOne() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(call -> call.head(200, false, "Content-Type", "text/event-stream"));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/events"));
    FakeTunnel.Call call = tunnel.call();
    assertThat(caller.head().status()).isEqualTo(200);

    for (int i = 0; i < 5; i++) {
      call.data("data: " + i + "\n\n", false);

      assertThat(caller.chunk()).isEqualTo("data: " + i + "\n\n");
    }
    call.data("", true);
    assertThat(caller.chunk()).isEmpty();
  }

  @Test
  void keepsCaseOrderAndDuplicatesOfFields() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(
            call -> call.head(200, true, "X-OnE", "1", "Set-Cookie", "a=1", "Set-Cookie", "b=2"));

    RawCaller.Answer answer =
        rig.caller().exchange(request("GET", "/invoke/plant/erp/", "X-CaSe: b", "x-case: a"));

    assertThat(answer.head().lines()).contains("X-OnE: 1", "Set-Cookie: a=1", "Set-Cookie: b=2");
    var fields = tunnel.call().request.fields();
    assertThat(fields.count()).isEqualTo(2);
    assertThat(fields.name(0)).hasToString("X-CaSe");
    assertThat(fields.value(0)).hasToString("b");
    assertThat(fields.name(1)).hasToString("x-case");
  }

  @Test
  void stripsWhatEndsAtThisHop() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(
            call ->
                call.head(
                    200,
                    true,
                    "Connection",
                    "X-Hop",
                    "X-Hop",
                    "1",
                    "Keep-Alive",
                    "timeout=5",
                    "Penstock-Error",
                    "forged",
                    "X-Content-Type-Options",
                    "none",
                    "X-End",
                    "2"));

    RawCaller.Answer answer =
        rig.caller()
            .exchange(
                request(
                    "GET",
                    "/invoke/plant/erp/",
                    "Connection: keep-alive, X-Secret-Hop",
                    "X-Secret-Hop: 1",
                    "TE: trailers",
                    "Keep-Alive: 5",
                    "Forwarded: for=1.2.3.4",
                    "Penstock-Caller: root",
                    "Proxy-Authorization: Basic x",
                    "X-End: 1"));

    var fields = tunnel.call().request.fields();
    assertThat(fields.count()).isEqualTo(1);
    assertThat(fields.name(0)).hasToString("X-End");
    assertThat(answer.field("x-hop")).isEmpty();
    assertThat(answer.field("keep-alive")).isEmpty();
    assertThat(answer.field("penstock-error")).isEmpty();
    assertThat(answer.head().fields("x-content-type-options")).containsExactly("nosniff");
    assertThat(answer.field("x-end")).isEqualTo("2");
  }

  @Test
  void keepsTheConsolesCookiesApart() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(
            call ->
                call.head(
                    200,
                    true,
                    "Set-Cookie",
                    "__Host-penstock-session=stolen",
                    "Set-Cookie",
                    "own=1"));

    RawCaller.Answer answer =
        rig.caller()
            .exchange(
                request(
                    "GET",
                    "/invoke/plant/erp/",
                    "Cookie: a=1; penstock=x; __Host-penstock-session=y; b=2"));

    assertThat(tunnel.call().field("cookie")).isEqualTo("a=1; b=2");
    assertThat(answer.head().fields("set-cookie")).containsExactly("own=1");
  }

  @Test
  void keepsTheAuthorizationThatWasSpentOnUs() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));

    rig.caller().exchange(get("/invoke/plant/erp/"));

    assertThat(tunnel.call().field("authorization")).isEmpty();
  }

  @Test
  void passesTheCallersOwnAuthorization() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));

    rig.caller()
        .exchange(
            "GET /invoke/plant/erp/ HTTP/1.1\r\nHost: b\r\nAuthorization: Basic c2Fw\r\n"
                + "Penstock-Authorization: Bearer "
                + EdgeRig.TOKEN
                + "\r\n\r\n");

    FakeTunnel.Call call = tunnel.call();
    assertThat(call.field("authorization")).isEqualTo("Basic c2Fw");
    assertThat(call.field("penstock-authorization")).isEmpty();
  }

  @Test
  void continuesTheCallersTrace() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));
    String parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    rig.caller()
        .exchange(
            request("GET", "/invoke/plant/erp/", "traceparent: " + parent, "tracestate: a=b"));

    FakeTunnel.Call call = tunnel.call();
    assertThat(call.open.ids().traceparent()).isEqualTo(parent);
    assertThat(call.field("tracestate")).isEqualTo("a=b");
    assertThat(call.field("traceparent")).isEmpty();
  }

  @Test
  void beginsATraceWhereThereIsNoValidOne() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, true));

    rig.caller()
        .exchange(
            request("GET", "/invoke/plant/erp/", "traceparent: 00-0-0-00", "tracestate: a=b"));

    FakeTunnel.Call call = tunnel.call();
    assertThat(call.open.ids().traceparent()).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-01");
    assertThat(call.field("tracestate")).isEmpty();
  }

  @Test
  void answersHeadWithoutBody() throws Exception {
    rig.tunnel(call -> call.head(200, true, "Content-Length", "1000"));
    RawCaller caller = rig.caller().send(request("HEAD", "/invoke/plant/erp/"));

    RawCaller.Answer answer = caller.answer(false);

    assertThat(answer.field("content-length")).isEqualTo("1000");
    assertThat(caller.send(request("HEAD", "/invoke/plant/erp/2")).answer(false).status())
        .isEqualTo(200);
  }

  @Test
  void answersHeadOfUnknownLengthWithoutBody() throws Exception {
    rig.tunnel(call -> call.head(200, false).data("", true));
    RawCaller caller = rig.caller().send(request("HEAD", "/invoke/plant/erp/"));

    assertThat(caller.answer(false).field("transfer-encoding")).isEmpty();
    assertThat(caller.send(request("HEAD", "/invoke/plant/erp/2")).answer(false).status())
        .isEqualTo(200);
  }

  @Test
  void answers204And304WithoutBody() throws Exception {
    rig.tunnel(
        call ->
            call.head(
                call.request.path().toString().equals("/204") ? 204 : 304, true, "ETag", "\"x\""));
    RawCaller caller = rig.caller();

    assertThat(caller.exchange(get("/invoke/plant/erp/204")).status()).isEqualTo(204);
    RawCaller.Answer unchanged = caller.exchange(get("/invoke/plant/erp/304"));
    assertThat(unchanged.status()).isEqualTo(304);
    assertThat(unchanged.field("etag")).isEqualTo("\"x\"");
    assertThat(unchanged.field("transfer-encoding")).isEmpty();
  }

  @Test
  void passesEarlyHintsAndKeepsContinueToItself() throws Exception {
    rig.tunnel(call -> call.head(100, false).head(103, false, "Link", "</a>").head(200, true));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));

    RawCaller.Head hints = caller.head();

    assertThat(hints.status()).isEqualTo(103);
    assertThat(hints.field("link")).isEqualTo("</a>");
    assertThat(caller.head().status()).isEqualTo(200);
  }

  @Test
  void saysContinueOnceTheStreamIsOpen() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(call -> call.whenRead(body -> call.head(200, false).data(body, true)));
    RawCaller caller =
        rig.caller()
            .send(
                request("PUT", "/invoke/plant/erp/", "Content-Length: 2", "Expect: 100-continue"));

    assertThat(caller.head().status()).isEqualTo(100);
    caller.send("ok");

    assertThat(caller.answer().body()).isEqualTo("ok");
    assertThat(tunnel.call().field("expect")).isEmpty();
  }

  @Test
  void refusesInsteadOfSayingContinue() throws Exception {
    RawCaller caller =
        rig.caller()
            .send(
                request("PUT", "/invoke/plant/erp/", "Content-Length: 2", "Expect: 100-continue"));

    RawCaller.Answer answer = caller.answer();

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.field("connection")).isEqualTo("close");
    assertThat(caller.isAtEnd()).isTrue();
  }

  @Test
  void speaksHttp10() throws Exception {
    rig.tunnel(call -> call.head(200, false).data("until the end", true));
    RawCaller caller = rig.caller();

    RawCaller.Answer answer = caller.exchange(getHttp10("/invoke/plant/erp/"));

    assertThat(answer.field("transfer-encoding")).isEmpty();
    assertThat(answer.field("connection")).isEqualTo("close");
    assertThat(answer.body()).isEqualTo("until the end");
  }

  @Test
  void keepsAnHttp10ConnectionThatAsksForIt() throws Exception {
    rig.tunnel(call -> call.head(200, false, "Content-Length", "2").data("ok", true));
    RawCaller caller = rig.caller();
    String request = getHttp10("/invoke/plant/erp/", "Connection: keep-alive");

    assertThat(caller.exchange(request).field("connection")).isEqualTo("keep-alive");
    assertThat(caller.exchange(request).body()).isEqualTo("ok");
  }

  @Test
  void closesWhenTheCallerAsksForIt() throws Exception {
    rig.tunnel(call -> call.head(200, false, "Content-Length", "2").data("ok", true));
    RawCaller caller = rig.caller();

    RawCaller.Answer answer =
        caller.exchange(request("GET", "/invoke/plant/erp/", "Connection: close"));

    assertThat(answer.field("connection")).isEqualTo("close");
    assertThat(caller.isAtEnd()).isTrue();
  }

  // What is cut looks cut.

  @Test
  void cutsAnAnswerOfKnownLength() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(call -> call.head(200, false, "Content-Length", "10").data("half", false));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    assertThat(caller.head().status()).isEqualTo(200);
    assertThat(caller.exactly(4)).asString().isEqualTo("half");

    tunnel.call().reset(ErrorCode.SYSTEM_CLOSED, false);

    assertThatThrownBy(() -> caller.exactly(6)).isInstanceOf(IOException.class);
    InvocationRecord record = rig.record();
    assertThat(record.cut()).isTrue();
    assertThat(record.verdict()).isEqualTo("system-closed");
  }

  @Test
  void cutsAChunkedAnswerWithoutItsLastChunk() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, false).data("half", false));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    assertThat(caller.head().status()).isEqualTo(200);
    assertThat(caller.chunk()).isEqualTo("half");

    tunnel.lose(ErrorCode.SILENT);

    assertThatThrownBy(caller::chunk).isInstanceOf(IOException.class);
    assertThat(rig.record().verdict()).isEqualTo("agent-offline");
  }

  @Test
  void resetsAnAnswerThatOnlyTheEndOfTheConnectionWouldEnd() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, false).data("half", false));
    RawCaller caller = rig.caller().send(getHttp10("/invoke/plant/erp/"));
    assertThat(caller.head().status()).isEqualTo(200);
    assertThat(caller.exactly(4)).asString().isEqualTo("half");

    tunnel.call().reset(ErrorCode.SYSTEM_CLOSED, false);

    assertThatThrownBy(caller::isAtEnd).hasMessageContaining("reset");
  }

  @Test
  void cutsAnAnswerThatEndsBeforeItsAnnouncedLength() throws Exception {
    rig.tunnel(call -> call.head(200, false, "Content-Length", "10").data("half", true));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));

    assertThatThrownBy(caller::answer).isInstanceOf(IOException.class);
  }

  @Test
  void cutsAnAnswerThatIsLongerThanAnnounced() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(call -> call.head(200, false, "Content-Length", "4").data("halfhalf", false));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));

    assertThatThrownBy(caller::answer).isInstanceOf(IOException.class);
    assertThat(tunnel.call().reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @Test
  void refusesAnAnswerWithTwoLengths() throws Exception {
    rig.tunnel(call -> call.head(200, false, "Content-Length", "4", "Content-Length", "5"));

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertThat(answer.status()).isEqualTo(502);
    assertThat(answer.field("penstock-error")).isEqualTo("system-closed");
  }

  // Either side going away or being early.

  @Test
  void resetsTheStreamWhenTheCallerGoesAway() throws Exception {
    FakeTunnel tunnel = rig.tunnel(_ -> {});
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/slow"));
    FakeTunnel.Call call = tunnel.call();

    caller.close();

    assertThat(call.reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.CANCELLED);
    InvocationRecord record = rig.record();
    assertThat(record.verdict()).isEqualTo("cancelled");
    assertThat(record.status()).isZero();
  }

  @Test
  void resetsTheStreamWhenTheBodyBreaks() throws Exception {
    FakeTunnel tunnel = rig.tunnel(_ -> {});
    RawCaller caller =
        rig.caller()
            .send(request("POST", "/invoke/plant/erp/", "Transfer-Encoding: chunked"))
            .send("3\r\nabc\r\n");
    FakeTunnel.Call call = tunnel.call();

    caller.send("zz\r\n");

    RawCaller.Answer answer = caller.answer();
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.field("penstock-error")).isEqualTo("bad-request");
    assertThat(call.reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.CANCELLED);
    assertThat(call.body).isNotDone();
    assertThat(caller.isAtEnd()).isTrue();
  }

  @Test
  void passesAnEarlyAnswerAndSkipsASmallRest() throws Exception {
    FakeTunnel tunnel =
        rig.tunnel(
            call ->
                call.head(call.withoutBody ? 200 : 409, false, "Content-Length", "2")
                    .data("no", true));
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/plant/erp/", "Content-Length: 1000"));

    assertThat(caller.answer().status()).isEqualTo(409);
    assertThat(tunnel.call().reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.NO_ERROR);

    caller.send(new byte[1000]);
    assertThat(caller.exchange(get("/invoke/plant/erp/")).status()).isEqualTo(200);
  }

  @Test
  void closesAfterAnEarlyAnswerWhenMuchIsLeft() throws Exception {
    rig.tunnel(call -> call.head(409, false, "Content-Length", "2").data("no", true));
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/plant/erp/", "Content-Length: 100000000"));

    assertThat(caller.answer().body()).isEqualTo("no");
    caller.send(new byte[10_000]);

    assertThat(caller.isAtEnd()).isTrue();
  }

  @Test
  void echoesWhileTheRequestIsStillBeingSent() throws Exception {
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, false));
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/plant/erp/", "Transfer-Encoding: chunked"));
    assertThat(caller.head().status()).isEqualTo(200);
    FakeTunnel.Call call = tunnel.call();

    for (String word : List.of("one", "two", "six")) {
      caller.send("3\r\n" + word + "\r\n");
      call.data(word, false);

      assertThat(caller.chunk()).isEqualTo(word);
    }
    caller.send("0\r\n\r\n");
    assertThat(call.body.get(5, TimeUnit.SECONDS)).isEqualTo("onetwosix");
    call.data("", true);
    assertThat(caller.chunk()).isEmpty();
  }
}
