package io.penstock.loadtest.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.loadtest.rate.Rate;
import io.penstock.loadtest.record.Outcomes;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EngineTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final StallingServer server = new StallingServer();
  private final Engine engine = Engine.of(1);

  @AfterEach
  void close() {
    engine.close();
    server.close();
  }

  private FlowResult run(Flow flow, Duration duration) throws Exception {
    return run(server.url(), flow, duration);
  }

  private FlowResult run(URI url, Flow flow, Duration duration) throws Exception {
    Endpoint endpoint = Endpoint.of("stalling", url, new Endpoint.Trust.Usual(), Map.of());
    return engine.run(endpoint, List.of(flow), duration, new Progress()).get().getFirst();
  }

  private static Flow flow(Pace pace, int connections, Duration timeout, Request... mix) {
    return new Flow("small", pace, connections, List.of(mix), timeout, 0);
  }

  private static Request get(String path) {
    return new Request("GET", path, 0, 1);
  }

  private static Pace open(double perSecond) {
    return new Pace.Open(new Rate.Constant(perSecond));
  }

  private static double millis(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1e6;
  }

  /// 500/s for 4 s, and the target does nothing from 1.5 s to 2.5 s: of 2,000 requests 500 were
  /// meant to start meanwhile, and wait from 1 s down to nothing. So a quarter waits, evenly: p75
  /// is where it begins, and p(75 + x) waits x/25 s. Service time hides it: of its few connections
  /// only as many requests as there are connections are under way when it stalls.
  @Test
  void aStallOfASecondShowsInResponseTimesAsArithmeticPredicts() throws Exception {
    server.stall(Duration.ofMillis(1_500), Duration.ofSeconds(1));

    FlowResult result = run(flow(open(500), 2, TIMEOUT, get("/1k")), Duration.ofSeconds(4));

    Outcomes total = result.recording().total();
    assertThat(total.answered()).isEqualTo(2_000);
    assertThat(total.failures()).isZero();
    Histogram response = total.response();
    assertThat(millis(response, 70)).isLessThan(100);
    assertThat(millis(response, 87.5)).isCloseTo(500, within(60.0));
    assertThat(millis(response, 95)).isCloseTo(800, within(60.0));
    assertThat(millis(response, 99)).isCloseTo(960, within(60.0));
    assertThat(millis(total.service(), 99)).isLessThan(500);
    assertThat(millis(total.service(), 100)).isGreaterThan(900);
    assertThat(millis(result.recording().intervals().get(2).response(), 99))
        .isCloseTo(490, within(60.0));
    assertThat(millis(result.recording().intervals().get(1).response(), 99)).isGreaterThan(900);
  }

  @Test
  void closedLoopKeepsItsConnectionsBusyAndFlattersAStall() throws Exception {
    server.stall(Duration.ofMillis(500), Duration.ofSeconds(1));

    FlowResult result = run(flow(new Pace.Closed(), 4, TIMEOUT, get("/1k")), Duration.ofSeconds(2));

    Outcomes total = result.recording().total();
    assertThat(total.answered()).isGreaterThan(200);
    assertThat(total.failures()).isZero();
    assertThat(total.response().getTotalCount()).isEqualTo(total.answered());
    // Four requests saw the stall, whatever came of the rest.
    assertThat(total.response().getCountBetweenValues(900_000_000L, 2_000_000_000L)).isEqualTo(4);
    assertThat(result.lateness().getTotalCount()).isZero();
  }

  @Test
  void whatGoesWrongIsCountedByItsKind() throws Exception {
    FlowResult result =
        run(
            flow(
                open(200),
                64,
                Duration.ofMillis(300),
                get("/1k"),
                get("/never"),
                get("/cut"),
                get("/unavailable")),
            Duration.ofSeconds(1));

    Outcomes total = result.recording().total();
    assertThat(total.errors().keySet())
        .containsExactlyInAnyOrder("timeout", "connection closed", "status 503");
    assertThat(total.answered() + total.failures()).isEqualTo(200);
    assertThat(millis(total.response(), 100)).isBetween(300.0, 600.0);
  }

  @Test
  void aTargetThatIsNotThereIsRefused() throws Exception {
    int port;
    try (ServerSocket taken = new ServerSocket(0)) {
      port = taken.getLocalPort();
    }
    URI nobody = URI.create("http://127.0.0.1:" + port);

    FlowResult open = run(nobody, flow(open(50), 4, TIMEOUT, get("/")), Duration.ofSeconds(1));
    FlowResult closed =
        run(nobody, flow(new Pace.Closed(), 2, TIMEOUT, get("/")), Duration.ofSeconds(1));

    assertThat(open.recording().total().errors())
        .containsExactly(Map.entry("cannot connect: refused", 50L));
    assertThat(closed.recording().total().errors()).containsOnlyKeys("cannot connect: refused");
  }

  @Test
  void connectionsThatTheTargetEndsAreReplaced() throws Exception {
    FlowResult result = run(flow(open(100), 2, TIMEOUT, get("/last")), Duration.ofSeconds(1));

    assertThat(result.recording().total().answered()).isEqualTo(100);
    assertThat(result.recording().total().failures()).isZero();
  }

  @Test
  void bodiesAreSentAndReceivedWhole() throws Exception {
    FlowResult result =
        run(
            flow(open(20), 2, TIMEOUT, new Request("PUT", "/length", 123_456, 1)),
            Duration.ofSeconds(1));

    assertThat(result.recording().total().answered()).isEqualTo(20);
    assertThat(result.recording().received().stream().mapToLong(Long::longValue).sum())
        .isEqualTo(20 * 123_456);
  }

  @Test
  void aSlowReaderTakesAsLongAsItsRateSays() throws Exception {
    Flow slow = new Flow("slow", open(1), 1, List.of(get("/big")), TIMEOUT, 400_000);

    FlowResult result = run(slow, Duration.ofSeconds(1));

    assertThat(result.recording().total().answered()).isEqualTo(1);
    assertThat(millis(result.recording().total().response(), 50)).isBetween(850.0, 1_500.0);
  }

  @Test
  void hopsOfAnswersAreKept() throws Exception {
    FlowResult result = run(flow(open(100), 2, TIMEOUT, get("/")), Duration.ofSeconds(1));

    Map<String, Histogram> hops = result.recording().hops().byName();
    assertThat(hops).containsOnlyKeys("broker", "tunnel");
    Histogram broker = Objects.requireNonNull(hops.get("broker"));
    Histogram tunnel = Objects.requireNonNull(hops.get("tunnel"));
    assertThat(millis(broker, 50)).isCloseTo(1.5, within(0.01));
    assertThat(millis(tunnel, 50)).isCloseTo(0.25, within(0.001));
    assertThat(broker.getTotalCount()).isEqualTo(25);
  }

  @Test
  void refusesRequestsAndTargetsThatMeanNothing() {
    assertThatThrownBy(() -> get("no-slash")).hasMessageContaining("begins with /");
    assertThatThrownBy(() -> get("/a b")).hasMessageContaining("found '/a b'");
    assertThatThrownBy(() -> new Request("HEAD", "/", 0, 1)).hasMessageContaining("found HEAD");
    assertThatThrownBy(
            () ->
                Endpoint.of(
                    "a",
                    URI.create("https://user:secret@host"),
                    new Endpoint.Trust.Usual(),
                    Map.of()))
        .hasMessageContaining("expected a URL")
        .hasMessageNotContaining("secret");
  }
}
