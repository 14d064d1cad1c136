package io.penstock.broker.edge;

import static io.penstock.broker.edge.EdgeRig.get;
import static io.penstock.broker.edge.EdgeRig.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.routing.Route;
import io.penstock.codec.ErrorCode;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Each deadline, kept even though the agent at the other end does nothing.
@Timeout(30)
class DeadlineTest {
  private final EdgeRig rig = new EdgeRig(true);

  @AfterEach
  void stop() throws IOException {
    rig.close();
  }

  @Test
  void endsACallWhoseFirstByteIsLate() throws Exception {
    rig.deadlines(50, 100, 60_000, 0);
    FakeTunnel tunnel = rig.tunnel(_ -> {});
    RawCaller caller = rig.caller();

    RawCaller.Answer answer = caller.exchange(get("/invoke/plant/erp/"));

    assertThat(answer.status()).isEqualTo(504);
    assertThat(answer.field("penstock-error")).isEqualTo("deadline");
    assertThat(tunnel.call().reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.DEADLINE);
  }

  @Test
  void cutsAnAnswerThatStandsStill() throws Exception {
    rig.deadlines(5_000, 5_000, 100, 0);
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, false).data("x", false));
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    assertThat(caller.head().status()).isEqualTo(200);
    assertThat(caller.chunk()).isEqualTo("x");

    assertThatThrownBy(caller::chunk).isInstanceOf(IOException.class);
    assertThat(tunnel.call().reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.DEADLINE);
    assertThat(rig.record().verdict()).isEqualTo("deadline");
  }

  /// The agent has nothing left to do but to wait for credit: it relies on this.
  @Test
  void endsAnAnswerWhoseEndWaitsForACallerThatDoesNotRead() throws Exception {
    rig.deadlines(5_000, 5_000, 300, 0);
    String large = "x".repeat(32 * 1024 * 1024);
    FakeTunnel tunnel = rig.tunnel(call -> call.head(200, false).data(large, true));
    RawCaller caller = rig.caller(16 * 1024).send(get("/invoke/plant/erp/"));

    assertThat(tunnel.call().reset.get(20, TimeUnit.SECONDS)).isEqualTo(ErrorCode.DEADLINE);

    assertThat(caller.head().status()).isEqualTo(200);
    assertThatThrownBy(
            () -> {
              String chunk = caller.chunk();
              while (!chunk.isEmpty()) {
                chunk = caller.chunk();
              }
            })
        .isInstanceOf(IOException.class);
  }

  @Test
  void endsAnUploadThatStandsStill() throws Exception {
    rig.deadlines(5_000, 5_000, 100, 0);
    rig.tunnel(_ -> {});
    RawCaller caller =
        rig.caller().send(request("POST", "/invoke/plant/erp/", "Content-Length: 10") + "abc");

    assertThat(caller.answer().status()).isEqualTo(504);
  }

  @Test
  void endsACallThatTakesTooLongInAll() throws Exception {
    rig.deadlines(5_000, 5_000, 5_000, 120);
    FakeTunnel tunnel = rig.tunnel(_ -> {});

    RawCaller.Answer answer = rig.caller().exchange(get("/invoke/plant/erp/"));

    assertThat(answer.field("penstock-error")).isEqualTo("deadline");
    assertThat(tunnel.call().open.deadlines().totalMs()).isBetween(1, 120);
  }

  @Test
  void cutsAnAnswerThatTakesTooLongInAllThoughItMoves() throws Exception {
    rig.deadlines(5_000, 5_000, 5_000, 300);
    rig.tunnel(call -> call.head(200, false).flood());
    RawCaller caller = rig.caller().send(get("/invoke/plant/erp/"));
    assertThat(caller.head().status()).isEqualTo(200);

    assertThatThrownBy(
            () -> {
              while (!caller.chunk().isEmpty()) {
                // Read on.
              }
            })
        .isInstanceOf(IOException.class);
  }

  @Test
  void letsACallLowerItsTotal() throws Exception {
    FakeTunnel tunnel = rig.tunnel(_ -> {});

    RawCaller.Answer answer =
        rig.caller().exchange(request("GET", "/invoke/plant/erp/", "Penstock-Timeout-Ms: 100"));

    assertThat(answer.status()).isEqualTo(504);
    FakeTunnel.Call call = tunnel.call();
    assertThat(call.open.deadlines().totalMs()).isBetween(1, 100);
    assertThat(call.open.deadlines().connectMs()).isEqualTo(5_000);
  }

  @Test
  void letsNoCallRaiseItsTotal() throws Exception {
    rig.deadlines(5_000, 5_000, 5_000, 120);
    rig.tunnel(_ -> {});

    RawCaller.Answer answer =
        rig.caller()
            .exchange(request("GET", "/invoke/plant/erp/", "Penstock-Timeout-Ms: 999999999"));

    assertThat(answer.status()).isEqualTo(504);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "soon", "1e3", "9999999999"})
  void refusesATimeoutThatIsNone(String text) throws Exception {
    rig.tunnel(call -> call.head(200, true));

    RawCaller.Answer answer =
        rig.caller().exchange(request("GET", "/invoke/plant/erp/", "Penstock-Timeout-Ms: " + text));

    assertThat(answer.status()).isEqualTo(400);
  }

  @Test
  void countsTheWaitForAnAgentIntoTheTotal() throws Exception {
    rig.route = new Route.Offline(true);

    RawCaller.Answer answer =
        rig.caller().exchange(request("GET", "/invoke/plant/erp/", "Penstock-Timeout-Ms: 100"));

    assertThat(answer.field("penstock-error")).isEqualTo("deadline");
  }

  @Test
  void givesTheNextCallOfAConnectionItsOwnTime() throws Exception {
    rig.deadlines(5_000, 400, 5_000, 0);
    rig.tunnel(
        call -> {
          if (!call.request.path().toString().equals("/silent")) {
            call.head(200, true);
          }
        });
    RawCaller caller = rig.caller();

    assertThat(caller.exchange(get("/invoke/plant/erp/")).status()).isEqualTo(200);
    RawCaller.Answer answer =
        caller.exchange(request("GET", "/invoke/plant/erp/silent", "Penstock-Timeout-Ms: 100"));

    assertThat(answer.status()).isEqualTo(504);
    assertThat(caller.exchange(get("/invoke/plant/erp/")).status()).isEqualTo(200);
  }
}
