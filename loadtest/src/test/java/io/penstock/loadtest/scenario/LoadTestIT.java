package io.penstock.loadtest.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.fault.Home;
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
