package io.penstock.loadtest.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.engine.FlowResult;
import io.penstock.loadtest.record.Recording;
import io.penstock.loadtest.watch.GeneratorUse;
import io.penstock.loadtest.watch.Growth;
import io.penstock.loadtest.watch.GrowthLimits.Quantity;
import io.penstock.loadtest.watch.JvmMemory;
import io.penstock.loadtest.watch.ProcessSamples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static final long MS = 1_000_000;
  private static final long SECOND = 1_000 * MS;
  private static final int PER_SECOND = 100;
  private static final int SECONDS = 9;

  @TempDir Path directory;

  /// Three turns of nine seconds, 100 answers in each second, about `ms` each, never the same.
  private static RunResult run(String commit, double ms, long seed, long lateNanos) {
    List<RunResult.Segment> segments = new ArrayList<>();
    var random = new SplittableRandom(seed);
    for (int turn = 1; turn <= 3; turn++) {
      Recording recording = Recording.of(SECONDS * SECOND);
      Histogram lateness = new Histogram(3);
      for (int i = 0; i < SECONDS * PER_SECOND; i++) {
        long intended = i * SECOND / PER_SECOND;
        long took = Math.round(ms * MS * (0.8 + 0.4 * random.nextDouble()));
        recording.answered(intended, intended, intended + took);
        recording.received(intended, 1_024);
        lateness.recordValue(lateNanos);
      }
      recording.failed("status 503 agent-offline", 0);
      recording.hops().add("broker", 0.25);
      segments.add(
          new RunResult.Segment(
              "penstock",
              turn,
              (turn - 1) * 10L * SECOND,
              SECONDS * SECOND,
              List.of(new FlowResult("small", true, 0, SECONDS * SECOND, recording, lateness, 7)),
              new GeneratorUse(SECONDS * SECOND, List.of(0.25), 1, MS),
              Map.of("broker", 90 * MS)));
    }
    return new RunResult(
        "steady",
        "a <b>description</b>",
        Instant.EPOCH,
        commit,
        segments,
        List.of(
            new ProcessSamples.Sample(0, "broker", 0, 50_000_000, OptionalLong.empty(), 30, 20),
            new ProcessSamples.Sample(
                SECOND, "broker", SECOND / 2, 60_000_000, OptionalLong.of(9_000_000), 31, 21)),
        List.of(
            new Growth("broker", Quantity.HEAP, 10, 55, 1.5, 0.5, Growth.Verdict.GROWS),
            new Growth(
                "broker",
                Quantity.THREADS,
                20,
                20,
                0,
                Double.POSITIVE_INFINITY,
                Growth.Verdict.STEADY)),
        Optional.empty(),
        List.of("a broker that broke"),
        List.of("a remark"));
  }

  private static RunResult withFleet(List<String> losses) {
    RunResult run = run("a", 2, 1, 1);
    long mb = 1 << 20;
    return new RunResult(
        run.scenario(),
        run.description(),
        run.started(),
        run.commit(),
        run.segments(),
        run.samples(),
        run.growth(),
        Optional.of(
            new FleetUse(
                "scale",
                1_024,
                new JvmMemory(200 * mb, 190 * mb, 100 * mb, 20 * mb),
                new JvmMemory(240 * mb, 229 * mb, 130 * mb, 26 * mb),
                0.025,
                losses)),
        run.failures(),
        run.remarks());
  }

  @Test
  void saysWhatEachTunnelOfAFleetCosts() {
    RunResult run = withFleet(List.of());

    JsonNode fleet = JsonReport.of(run).path("fleet");
    // 6 MB of live heap, and 110 MB outside the heap instead of 100.
    assertThat(fleet.path("kb_per_tunnel").path("live_heap").asDouble()).isEqualTo(6);
    assertThat(fleet.path("kb_per_tunnel").path("outside_heap").asDouble()).isEqualTo(10);
    assertThat(fleet.path("kb_per_tunnel").path("held").asDouble()).isEqualTo(16);
    assertThat(fleet.path("kb_per_tunnel").path("resident").asDouble()).isEqualTo(40);
    assertThat(fleet.path("kb_per_tunnel").path("proportional").asDouble()).isEqualTo(39);
    assertThat(fleet.path("idle_cpu_ms_per_second").asDouble()).isEqualTo(25);
    assertThat(JsonReport.of(run).path("segments").path(0).path("resident_mb").path("broker"))
        .hasToString("60.0");
    assertThat(TextSummary.of(run))
        .contains(
            "fleet of 1024 tunnels of site scale, idle: 16.0 KB each at the broker",
            "penstock, turn 1: broker 100.0 CPU ms per 1,000 answers, 60 MB resident at most",
            "heartbeats and the like: 25.0 CPU ms per second")
        .doesNotContain("INVALID");
  }

  @Test
  void tunnelsOfAFleetThatEndedMakeARunInvalid() {
    RunResult run = withFleet(List.of("fleet, turn 2: 1 of the fleet's 1024 tunnels ended"));

    assertThat(run.invalid()).containsExactly("fleet, turn 2: 1 of the fleet's 1024 tunnels ended");
    assertThat(JsonReport.of(run).path("valid").asBoolean()).isFalse();
    assertThat(TextSummary.of(run)).contains("INVALID", "turn 2: 1 of the fleet's 1024 tunnels");
  }

  private StoredRun store(RunResult run) throws IOException {
    Path place = Files.createDirectory(directory.resolve(run.commit()));
    Files.writeString(place.resolve("result.json"), JsonReport.of(run).toPrettyString());
    HdrLogs.write(run, place);
    return StoredRun.read(place);
  }

  @Test
  void jsonHasTheFiguresOfEachTargetAndFlow() {
    JsonNode json = JsonReport.of(run("a", 2, 1, 1));

    JsonNode target = json.path("targets").path(0);
    JsonNode flow = target.path("flows").path(0);
    assertThat(flow.path("answered").asLong()).isEqualTo(2_700);
    assertThat(flow.path("answers_per_second").asDouble()).isCloseTo(100, within(0.1));
    assertThat(flow.path("bytes_per_second").asDouble()).isCloseTo(102_400, within(1.0));
    assertThat(flow.path("response_ms").path("p50").asDouble()).isCloseTo(2, within(0.05));
    assertThat(flow.path("errors").path("status 503 agent-offline").asLong()).isEqualTo(3);
    assertThat(flow.path("hops_ms").path("broker").path("p50").asDouble())
        .isCloseTo(0.25, within(0.001));
    // 3 × 90 ms for 2,700 answers.
    assertThat(target.path("cpu_ms_per_1000").path("broker").asDouble())
        .isCloseTo(100, within(0.1));
    assertThat(json.path("segments").path(2).path("flows").path(0).path("intervals")).hasSize(9);
    assertThat(json.path("processes").path("broker").path(0).path(1).asDouble()).isEqualTo(0.5);
    assertThat(flow.path("most_at_once").asInt()).isEqualTo(7);
    assertThat(json.path("processes").path("broker").path(0).path(5).asDouble()).isEqualTo(9);
    assertThat(json.path("growth").path(0).path("per_minute").asDouble()).isEqualTo(1.5);
    assertThat(json.path("growth").path(0).path("verdict").asText()).isEqualTo("GROWS");
    assertThat(json.path("growth").path(1).has("limit_per_minute")).isFalse();
    assertThat(json.path("valid").asBoolean()).isTrue();
  }

  @Test
  void aLateGeneratorMarksEveryReportInvalid() {
    RunResult late = run("late", 2, 1, 40 * MS);

    assertThat(late.invalid()).hasSize(3);
    assertThat(late.invalid().getFirst()).startsWith("penstock, turn 1: flow small");
    assertThat(TextSummary.of(late)).contains("INVALID: do not quote these figures");
    assertThat(JsonReport.of(late).path("valid").asBoolean()).isFalse();
  }

  @Test
  void textSaysWhatAPersonWantsToKnow() {
    assertThat(TextSummary.of(run("a", 2, 1, 1)))
        .contains(
            "target penstock, 3 × 9 s",
            "small (open loop): 100.0 answers/s, 0.10 MB/s, 2700 answered, at most 7 at once, 3"
                + " failed",
            "response",
            "hop broker",
            "CPU ms per 1,000 answers: broker 100.0",
            "growth: THERE IS SOME",
            "broker heap MB 10.0 to 55.0, +1.500 per minute (limit 0.500): GROWS",
            "broker threads 20.0 to 20.0, +0.000 per minute",
            "FAILED: a broker that broke",
            "a remark",
            "valid: the generator kept up");
  }

  @Test
  void hdrLogsHoldEveryAnswer() throws Exception {
    StoredRun stored = store(run("a", 2, 1, 1));

    List<Histogram> pieces = stored.pieces("penstock", "small", 3);

    assertThat(pieces).hasSize(9);
    assertThat(pieces.stream().mapToLong(Histogram::getTotalCount)).containsOnly(300L);
    assertThat(pieces.getFirst().getValueAtPercentile(50) / 1e6).isCloseTo(2, within(0.1));
  }

  @Test
  void theSameLoadTwiceIsNoChange() throws Exception {
    Comparison comparison = Comparison.of(store(run("a", 2, 1, 1)), store(run("b", 2, 2, 1)));

    assertThat(comparison.changes())
        .extracting(Change::verdict)
        .doesNotContain(Change.Verdict.BETTER, Change.Verdict.WORSE);
    assertThat(comparison.text()).contains("no change seen", "too few samples to say");
  }

  @Test
  void aTenthSlowerIsSeenInBothDirections() throws Exception {
    StoredRun fast = store(run("fast", 2, 1, 1));
    StoredRun slow = store(run("slow", 2.2, 2, 1));

    Change worse = Comparison.of(fast, slow).changes().getFirst();
    Change better = Comparison.of(slow, fast).changes().getFirst();

    assertThat(worse.what()).isEqualTo("penstock small response p50 ms");
    assertThat(worse.verdict()).isEqualTo(Change.Verdict.WORSE);
    assertThat(worse.ratio()).isCloseTo(1.1, within(0.03));
    assertThat(worse.low()).isGreaterThan(1);
    assertThat(better.verdict()).isEqualTo(Change.Verdict.BETTER);
  }

  @Test
  void noiseThatIsLargerThanTheDifferenceIsNoChange() {
    var random = new SplittableRandom(5);
    List<Double> a = random.doubles(20, 1, 3).boxed().toList();
    List<Double> b = random.doubles(20, 1.02, 3.02).boxed().toList();

    assertThat(Change.of("p50", a, b, true).verdict()).isEqualTo(Change.Verdict.NO_CHANGE_SEEN);
    assertThat(Change.of("p50", a.subList(0, 4), b, true).verdict())
        .isEqualTo(Change.Verdict.TOO_FEW);
  }

  @Test
  void aDirectoryWithoutARunIsRefused() {
    assertThatThrownBy(() -> StoredRun.read(directory))
        .hasMessageContaining("expected the directory of a run, found no result.json");
  }

  @Test
  void htmlIsOnePageWithItsDataAndChartsInIt() throws Exception {
    RunResult run = run("a", 2, 1, 1);

    String html = HtmlReport.of(run, JsonReport.of(run));

    assertThat(html)
        .contains("uPlot", "Permission is hereby granted")
        .doesNotContain("@@", "src=\"http", "href=\"http", "<b>description");
    String from = "<script type=\"application/json\" id=\"data\">";
    int start = html.indexOf(from) + from.length();
    JsonNode data =
        JsonMapper.builder()
            .build()
            .readTree(html.substring(start, html.indexOf("</script>", start)));
    assertThat(data.path("run").path("description").asText()).isEqualTo("a <b>description</b>");
    long cells = 0;
    for (JsonNode cell : data.path("heatmaps").path(0).path("cells")) {
      cells += cell.path(2).asLong();
    }
    assertThat(cells).isEqualTo(900);
  }

  @Test
  void rowsOfTheHeatmapGrowByAnEighthOfADecade() {
    assertThat(HtmlReport.row(1)).isZero();
    assertThat(HtmlReport.row(10_000)).isZero();
    assertThat(HtmlReport.row(100_001)).isEqualTo(8);
    assertThat(HtmlReport.row(10_000_001)).isEqualTo(24);
  }
}
