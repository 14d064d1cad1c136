package io.penstock.broker.edge;

import static io.penstock.broker.edge.EdgeRig.get;
import static io.penstock.broker.edge.EdgeRig.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.ErrorCode;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/// When a request goes to a second session, and when it must not.
@ParameterizedClass(name = "two loops: {0}")
@ValueSource(booleans = {false, true})
@Timeout(30)
class RetryTest {
  @Parameter boolean twoLoops;

  private EdgeRig rig = new EdgeRig(false);

  @BeforeEach
  void start() {
    rig = new EdgeRig(twoLoops);
    rig.reconnectWait(Duration.ofMillis(100));
  }

  @AfterEach
  void stop() throws IOException {
    rig.close();
  }

  private FakeTunnel refusing(ErrorCode code, boolean untouched) {
    return new FakeTunnel(rig.tunnelLoop(), call -> call.reset(code, untouched));
  }

  private FakeTunnel echoing() {
    return new FakeTunnel(
        rig.tunnelLoop(),
        call -> call.whenRead(body -> call.head(200, false).data("second " + body, true)));
  }

  @Test
  void goesOnWhereASessionHasNoRoom() throws Exception {
    var full = new FakeTunnel(rig.tunnelLoop(), 0, _ -> {});
    rig.route(full, echoing());

    assertThat(rig.caller().exchange(get("/invoke/plant/erp/")).body()).isEqualTo("second ");
    assertThat(full.sawNoCall()).isTrue();
  }

  @Test
  void goesOnWhereASessionIsDraining() throws Exception {
    FakeTunnel draining = refusing(ErrorCode.INTERNAL, false);
    draining.draining = true;
    rig.route(draining, echoing());

    assertThat(rig.caller().exchange(get("/invoke/plant/erp/")).body()).isEqualTo("second ");
  }

  @Test
  void sendsAnUntouchedRequestAgain() throws Exception {
    rig.route(refusing(ErrorCode.DRAINING, true), echoing());

    assertThat(rig.caller().exchange(get("/invoke/plant/erp/")).body()).isEqualTo("second ");
  }

  @Test
  void sendsAnUntouchedRequestAgainWithItsWholeBody() throws Exception {
    FakeTunnel first = refusing(ErrorCode.DRAINING, true);
    rig.route(first, echoing());

    RawCaller.Answer answer =
        rig.caller()
            .exchange(request("POST", "/invoke/plant/erp/", "Content-Length: 11") + "hello world");

    assertThat(answer.body()).isEqualTo("second hello world");
    first.call();
  }

  @Test
  void sendsATouchedIdempotentRequestAgainWhenTheTunnelIsLost() throws Exception {
    var first = new FakeTunnel(rig.tunnelLoop(), _ -> {});
    rig.route(first, echoing());
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    first.call();

    first.lose(ErrorCode.SILENT);

    assertThat(caller.answer().body()).isEqualTo("second ");
  }

  @Test
  void neverSendsATouchedPostAgain() throws Exception {
    var first = new FakeTunnel(rig.tunnelLoop(), _ -> {});
    FakeTunnel second = echoing();
    rig.route(first, second);
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/plant/erp/", "Content-Length: 0"));
    first.call();

    first.lose(ErrorCode.SILENT);

    assertThat(caller.answer().field("penstock-error")).isEqualTo("agent-offline");
    assertThat(second.sawNoCall()).isTrue();
  }

  @Test
  void neverSendsABegunBodyAgain() throws Exception {
    var first = new FakeTunnel(rig.tunnelLoop(), _ -> {});
    FakeTunnel second = echoing();
    rig.route(first, second);
    RawCaller caller =
        rig.caller().send(request("PUT", "/invoke/plant/erp/", "Content-Length: 2") + "ab");
    first.call().body.get(5, TimeUnit.SECONDS);

    first.lose(ErrorCode.SILENT);

    assertThat(caller.answer().status()).isEqualTo(503);
    assertThat(second.sawNoCall()).isTrue();
  }

  @Test
  void neverSendsAgainWhatTheSystemCloses() throws Exception {
    FakeTunnel second = echoing();
    rig.route(refusing(ErrorCode.SYSTEM_CLOSED, false), second);

    assertThat(rig.caller().exchange(get("/invoke/plant/erp/")).status()).isEqualTo(502);
    assertThat(second.sawNoCall()).isTrue();
  }

  @Test
  void takesARefusalOfTheRequestItselfForFinal() throws Exception {
    FakeTunnel second = echoing();
    rig.route(refusing(ErrorCode.NOT_EXPOSED, true), second);

    assertThat(rig.caller().exchange(get("/invoke/plant/erp/")).status()).isEqualTo(403);
    assertThat(second.sawNoCall()).isTrue();
  }

  @Test
  void triesTwiceAndNoMore() throws Exception {
    FakeTunnel third = echoing();
    rig.route(
        refusing(ErrorCode.CONNECT_FAILED, true), refusing(ErrorCode.CONNECT_FAILED, true), third);

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertThat(answer.field("penstock-error")).isEqualTo("connect-failed");
    assertThat(third.sawNoCall()).isTrue();
  }

  @Test
  void tellsTheFirstErrorWhenThereIsNoOtherSession() throws Exception {
    rig.route(refusing(ErrorCode.CONNECT_FAILED, true));

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertThat(answer.field("penstock-error")).isEqualTo("connect-failed");
  }

  @Test
  void waitsForTheSuccessorOfTheOnlySession() throws Exception {
    rig.reconnectWait(Duration.ofSeconds(5));
    var first = new FakeTunnel(rig.tunnelLoop(), _ -> {});
    rig.route(first);
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    first.call();

    first.lose(ErrorCode.SHUTDOWN);
    rig.routing.awaited.take();
    rig.route(echoing());
    rig.routing.change.complete(null);

    assertThat(caller.answer().body()).isEqualTo("second ");
  }

  @Test
  void seesASuccessorThatComesWhileItLooks() throws Exception {
    rig.reconnectWait(Duration.ofSeconds(5));
    var first = new FakeTunnel(rig.tunnelLoop(), _ -> {});
    FakeTunnel successor = echoing();
    rig.route(first);
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    first.call();
    rig.routing.meanwhile =
        () -> {
          if (!rig.routing.awaited.isEmpty()) {
            rig.route(successor);
            rig.routing.change.complete(null);
          }
        };

    first.lose(ErrorCode.SHUTDOWN);

    assertThat(caller.answer().body()).isEqualTo("second ");
  }

  @Test
  void neverRepeatsAnAnswerThatHasBegun() throws Exception {
    var first = new FakeTunnel(rig.tunnelLoop(), call -> call.head(200, false));
    FakeTunnel second = echoing();
    rig.route(first, second);
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    assertThat(caller.head().status()).isEqualTo(200);

    first.lose(ErrorCode.SILENT);

    assertThatThrownBy(caller::chunk).isInstanceOf(IOException.class);
    assertThat(second.sawNoCall()).isTrue();
  }
}
