package io.penstock.loadtest.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.loadtest.fault.SpanCollector.Span;
import io.penstock.loadtest.network.Network;
import io.penstock.loadtest.network.NetworkProxy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/// Where the time goes, seen from outside: whole processes, with lines of a known length between
/// them.
@Isolated("it holds times against a limit")
@Timeout(300)
class HopTimesIT {
  private static final List<String> HOPS = List.of("broker", "tunnel", "agent", "system", "body");
  private static final Network LONGER =
      new Network(
          Duration.ofMillis(200), Duration.ZERO, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO);
  private static final int CALLS = 30;

  @TempDir Path directory;

  @Test
  void aLongerLineMovesItsOwnHopOnlyAndTheHopsSumToTheTotal() throws Exception {
    try (Plant plant = Plant.open(directory);
        var toSystem = NetworkProxy.start(URI.create(plant.erp().url()).getPort(), Network.NONE);
        var toBroker = NetworkProxy.start(plant.port(), Network.NONE)) {
      int agentMetrics = Processes.freePort();
      plant.enroll(
          launch ->
              launch
                  .variable("PENSTOCK_BROKER_URL", "https://localhost:" + toBroker.port())
                  .variable("PENSTOCK_SYSTEMS", systems(toSystem.port()))
                  .variable("PENSTOCK_METRICS_PORT", String.valueOf(agentMetrics)));
      // The first calls of a process are not like the others.
      medians(plant, 200);
      Map<String, Double> usual = medians(plant, CALLS);

      toSystem.line(LONGER);
      Map<String, Double> longSystem = medians(plant, CALLS);
      toSystem.line(Network.NONE);
      toBroker.line(LONGER);
      Map<String, Double> longTunnel = medians(plant, CALLS);
      toBroker.line(Network.NONE);

      System.out.println("usual       " + usual);
      System.out.println("long system " + longSystem);
      System.out.println("long tunnel " + longTunnel);
      assertMovesOnly("system", usual, longSystem);
      assertMovesOnly("tunnel", usual, longTunnel);
      assertSumsToTheTotal(plant.api().get("/latency/hops?agent=" + Plant.AGENT));
      assertBothSidesAreScraped(plant, agentMetrics);
      assertTheFeedTellsOfCalls(plant);
    }
  }

  private static String systems(int port) {
    return "[{name: erp, plugin: http, settings: {base_url: \"http://127.0.0.1:"
        + port
        + "\"}, allow: [{methods: [\"*\"], paths: [\"/**\"]}]}]";
  }

  /// Median of each hop over the calls that are made now.
  private static Map<String, Double> medians(Plant plant, int calls) throws IOException {
    long seen = plant.api().get("/requests?limit=1").path("seen").asLong();
    Instant from = Instant.now();
    for (int i = 0; i < calls; i++) {
      assertThat(plant.serves()).isTrue();
    }
    plant.await(
        "the calls are counted",
        () -> plant.api().get("/requests?limit=1").path("seen").asLong() >= seen + calls);
    JsonNode rows = plant.api().get("/requests?limit=1000&from=" + from).path("rows");
    assertThat(rows.size()).isPositive();
    for (JsonNode row : rows) {
      double sum =
          HOPS.stream().mapToDouble(hop -> row.path("hops").path(hop + "_ms").asDouble()).sum();
      assertThat(Math.abs(sum - row.path("total_ms").asDouble()))
          .as("the hops of %s", row)
          .isLessThanOrEqualTo(row.path("error_ms").asDouble());
    }
    Map<String, Double> medians = new HashMap<>();
    for (String hop : HOPS) {
      List<Double> sorted =
          rows.findValuesAsText(hop + "_ms").stream().map(Double::valueOf).sorted().toList();
      medians.put(hop, sorted.get(sorted.size() / 2));
    }
    return medians;
  }

  private static void assertMovesOnly(
      String moved, Map<String, Double> before, Map<String, Double> after) {
    for (String hop : HOPS) {
      double change = after.getOrDefault(hop, 0.0) - before.getOrDefault(hop, 0.0);
      if (hop.equals(moved)) {
        assertThat(change).as("%s moves", hop).isBetween(190.0, 260.0);
      } else {
        assertThat(Math.abs(change)).as("%s stays", hop).isLessThan(20.0);
      }
    }
  }

  private static void assertSumsToTheTotal(JsonNode hops) {
    double difference =
        hops.path("hops_mean_sum_ms").asDouble() - hops.path("total").path("mean_ms").asDouble();
    assertThat(hops.path("count").asLong()).isGreaterThanOrEqualTo(3L * CALLS);
    // Beside the stated error: the answer's own figures have three decimals.
    assertThat(Math.abs(difference)).isLessThanOrEqualTo(hops.path("error_ms").asDouble() + 0.001);
  }

  private static void assertBothSidesAreScraped(Plant plant, int agentMetrics) throws Exception {
    String labels = "agent=\"" + Plant.AGENT + "\",system=\"erp\"";
    double broker =
        plant
            .metrics()
            .value(
                "penstock_system_invocations_total{"
                    + labels
                    + ",answered=\"true\",status=\"2xx\"}");
    double agent =
        new Metrics(agentMetrics)
            .value("penstock_agent_calls_total{system=\"erp\",outcome=\"answered\"}");
    assertThat(broker).isGreaterThanOrEqualTo(3.0 * CALLS);
    assertThat(agent).isGreaterThanOrEqualTo(3.0 * CALLS);
  }

  /// As a page reads it: through the public port, while calls are made.
  private static void assertTheFeedTellsOfCalls(Plant plant) throws IOException {
    try (var feed =
        new BufferedReader(
            new InputStreamReader(
                plant.api().stream("/live?topics=overview,latency&agent=" + Plant.AGENT),
                StandardCharsets.UTF_8))) {
      assertThat(feed.readLine()).startsWith("id: ");
      assertThat(feed.readLine()).isEqualTo("event: hello");
      assertThat(plant.serves()).isTrue();
      String line = feed.readLine();
      while (line != null && !line.equals("event: latency")) {
        line = feed.readLine();
      }
      assertThat(feed.readLine())
          .contains("\"agent\":\"" + Plant.AGENT + "\"", "\"system\":\"erp\"");
    }
  }

  @Test
  void oneInvocationIsOneTreeOfBrokerAgentAndSystem() throws Exception {
    try (var collector = new SpanCollector();
        Plant plant =
            Plant.open(
                directory,
                launch ->
                    launch
                        .variable(
                            "PENSTOCK_TELEMETRY_OTLP_ENDPOINT", collector.endpoint().toString())
                        .variable("PENSTOCK_TELEMETRY_TRACE_PERCENT", "100"))) {
      plant.enroll(
          launch ->
              launch.variable("PENSTOCK_TELEMETRY_OTLP_ENDPOINT", collector.endpoint().toString()));
      assertThat(plant.serves()).isTrue();
      plant.await(
          "a whole tree",
          () -> collector.spans().stream().anyMatch(root -> isTree(root, collector)));
    }
  }

  /// `invoke` without a parent, below it `agent`, below that `system`, all of one trace.
  private static boolean isTree(Span root, SpanCollector collector) {
    return root.name().equals("invoke")
        && root.parent().isEmpty()
        && children(root, "agent", collector).stream()
            .anyMatch(agent -> children(agent, "system", collector).size() == 1);
  }

  private static List<Span> children(Span of, String name, SpanCollector collector) {
    return collector.spans().stream()
        .filter(span -> span.name().equals(name))
        .filter(span -> span.trace().equals(of.trace()) && span.parent().equals(of.id()))
        .toList();
  }
}
