package io.penstock.loadtest.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.record.Outcomes;
import io.penstock.loadtest.record.Recording;
import io.penstock.loadtest.report.RunResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The harness starts a whole installation from the built jars, loads it, and finds every request
/// again. Nothing here is about speed.
@Timeout(600)
class LoadTestIT {
  private static RunResult run(String scenario) throws Exception {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    try (var run =
        new ScenarioRun(
            ScenarioReader.parse("smoke", scenario),
            Home.find(),
            "unknown",
            Map.of(),
            Map.of(),
            lines::add)) {
      return run.run();
    }
  }

  private static FlowResult flow(RunResult run, int segment, String name) {
    return run.segments().get(segment).flows().stream()
        .filter(one -> one.flow().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void everyRequestGoesThroughTheTunnelAndIsCountedOnce() throws Exception {
    RunResult run =
        run(
            """
            description: smoke
            targets: [penstock, origin]
            warmup_s: 1
            duration_s: 3
            turns: 1
            flows:
              - name: small
                rate: {constant: 50}
                connections: 8
                requests: [{path: /1k}]
              - name: bulk
                connections: 1
                requests: [{path: /bytes/1000000}]
            """);

    for (int segment = 0; segment < 2; segment++) {
      FlowResult small = flow(run, segment, "small");
      assertThat(small.recording().total().failures()).isZero();
      assertThat(small.recording().total().answered()).isEqualTo(150);
      FlowResult bulk = flow(run, segment, "bulk");
      assertThat(bulk.recording().received().stream().mapToLong(Long::longValue).sum())
          .isEqualTo(1_000_000 * bulk.recording().total().answered());
    }
    assertThat(flow(run, 0, "small").recording().hops().byName())
        .containsOnlyKeys("broker", "tunnel", "agent", "system");
    assertThat(flow(run, 1, "small").recording().hops().byName()).isEmpty();
    assertThat(run.segments().getFirst().cpuNanos()).containsKeys("broker", "agent", "generator");
  }

  @Test
  void aFleetAnswersWhileItStaysConnected() throws Exception {
    RunResult run =
        run(
            """
            description: smoke
            targets: [fleet, penstock]
            warmup_s: 0.5
            duration_s: 2
            turns: 1
            flows:
              - name: small
                rate: {constant: 50}
                connections: 8
                requests: [{path: /1k}]
            fleet: {agents: 10, answer_bytes: 200000}
            """);

    FlowResult fleet = flow(run, 0, "small");
    assertThat(fleet.recording().total().failures()).isZero();
    assertThat(fleet.recording().total().answered()).isEqualTo(100);
    assertThat(fleet.recording().received().stream().mapToLong(Long::longValue).sum())
        .isEqualTo(100 * 200_000);
    assertThat(flow(run, 1, "small").recording().total().answered()).isEqualTo(100);
    assertThat(run.fleet().orElseThrow().losses()).isEmpty();
    assertThat(run.fleet().orElseThrow().tunnels()).isEqualTo(10);
    assertThat(run.fleet().orElseThrow().idle().heapUsedBytes()).isPositive();
  }

  @Test
  void requestsAndDeploysTakeTheLineBetweenAgentsAndBroker() throws Exception {
    RunResult run =
        run(
            """
            description: smoke
            network: {delay_ms: 40}
            warmup_s: 0.5
            duration_s: 2
            turns: 2
            flows:
              - name: small
                rate: {constant: 25}
                connections: 8
                requests: [{path: /1k}]
              - name: body
                connections: 1
                requests: [{path: /bytes/300000}]
            storm: {event: deploy, agents: 10, rate: {constant: 20}}
            """);

    for (int segment = 0; segment < 2; segment++) {
      Outcomes small = flow(run, segment, "small").recording().total();
      assertThat(small.answered()).isEqualTo(50);
      assertThat(small.response().getMinValue()).isGreaterThan(ms(39.9));
      FlowResult body = flow(run, segment, "body");
      assertThat(body.recording().total().failures()).isZero();
      assertThat(body.recording().received().stream().mapToLong(Long::longValue).sum())
          .isEqualTo(300_000 * body.recording().total().answered());
      Outcomes agents = flow(run, segment, "agents").recording().total();
      assertThat(agents.errors()).isEmpty();
      assertThat(agents.answered()).isEqualTo(10);
      // The broker's clock shows milliseconds.
      assertThat(agents.response().getMinValue()).isGreaterThan(ms(38));
    }
    assertThat(run.remarks())
        .anyMatch(remark -> remark.contains("penstock") && remark.contains("delay 40 ms"));
  }

  private static long ms(double millis) {
    return Math.round(millis * 1e6);
  }

  @Test
  void eachRevokedAgentLosesItsTunnelAndNobodyElseDoes() throws Exception {
    RunResult run =
        run(
            """
            description: smoke
            warmup_s: 0
            duration_s: 2
            turns: 2
            flows:
              - name: small
                rate: {constant: 25}
                connections: 8
                requests: [{path: /1k}]
            storm: {event: revoke, agents: 5, rate: {constant: 10}}
            """);

    for (int segment = 0; segment < 2; segment++) {
      Outcomes agents = flow(run, segment, "agents").recording().total();
      assertThat(agents.errors()).isEmpty();
      assertThat(agents.answered()).isEqualTo(5);
      assertThat(flow(run, segment, "small").recording().total().answered()).isEqualTo(50);
    }
  }

  @Test
  void aDrainCutsNoRequestThatRunsAndRefusesWhatComesLater() throws Exception {
    RunResult run =
        run(
            """
            description: smoke
            warmup_s: 1
            duration_s: 6
            turns: 1
            flows:
              - name: running
                rate: {constant: 10}
                connections: 64
                timeout_s: 30
                requests: [{path: "/slow-body?ms=100&chunks=15"}]
              - name: small
                rate: {constant: 25}
                connections: 8
                timeout_s: 30
                requests: [{path: /1k}]
            storm: {event: drain, agents: 5, after_s: 2.5}
            """);

    FlowResult running = flow(run, 0, "running");
    // 15 of them were under way at the SIGTERM.
    assertThat(running.mostAtOnce()).isGreaterThanOrEqualTo(14);
    for (FlowResult flow : List.of(running, flow(run, 0, "small"))) {
      List<Outcomes> seconds = flow.recording().intervals();
      assertThat(Recording.sum(seconds.subList(0, 2)).errors()).isEmpty();
      assertThat(Recording.sum(seconds.subList(3, 6)).failures()).isPositive();
    }
    assertThat(flow(run, 0, "agents").recording().total().answered()).isEqualTo(5);
    assertThat(run.remarks()).anyMatch(remark -> remark.contains("exit code 0"));
  }

  @Test
  void everyAgentOfAStormComesBackAfterTheBrokerWasKilled() throws Exception {
    RunResult run =
        run(
            """
            description: smoke
            duration_s: 5
            warmup_s: 0
            turns: 1
            flows:
              - name: small
                rate: {constant: 20}
                connections: 8
                timeout_s: 30
                requests: [{path: /1k}]
            storm: {event: reconnect, agents: 10}
            """);

    assertThat(flow(run, 0, "agents").recording().total().answered()).isEqualTo(10);
    assertThat(flow(run, 0, "small").recording().total().failures()).isPositive();
  }
}
