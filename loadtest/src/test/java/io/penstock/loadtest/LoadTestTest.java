package io.penstock.loadtest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.target.ExampleErp;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class LoadTestTest {
  private static final String SCENARIO =
      """
      description: a few requests at any URL
      warmup_s: 0
      duration_s: 2
      turns: 2
      flows:
        - name: small
          rate: {constant: 100}
          connections: 4
          requests: [{path: /1k}]
      """;

  @TempDir Path directory;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... args) {
    return LoadTest.run(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        args);
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void helpSaysWhatThereIs() {
    assertThat(run("--help")).isZero();
    assertThat(out()).contains("--target", "--delay", "compare", "list", "INVALID");
  }

  @Test
  void listsItsScenarios() {
    assertThat(run("list")).isZero();
    assertThat(out()).contains("steady ", "scale ", "reconnect-storm ");
  }

  @Test
  void anUnknownScenarioIsAnsweredWithTheOnesThereAre() {
    assertThat(run("stedy")).isEqualTo(3);
    assertThat(err()).contains("steady", "found 'stedy'");
  }

  @Test
  void aBrokerWithoutASystemIsWrongUsage() {
    assertThat(run("steady", "--broker", "https://localhost:1")).isEqualTo(2);
    assertThat(err()).contains("--system SITE/SYSTEM");
  }

  @Test
  void aLineNeedsAgentsOfItsOwnAndSensibleTimes() {
    assertThat(run("steady", "--delay", "20", "--target", "a=http://127.0.0.1:1")).isEqualTo(2);
    assertThat(err()).contains("--delay: expected a time such as 20ms", "found '20'");
    assertThat(run("steady", "--delay", "20ms", "--target", "a=http://127.0.0.1:1")).isEqualTo(2);
    assertThat(err()).contains("expected a run that starts its own broker and agents");
    assertThat(run("wide-area", "--stall", "300ms")).isEqualTo(2);
    assertThat(err()).contains("--stall: expected TIME/EVERY", "found '300ms'");
    assertThat(run("wide-area", "--delay", "300ms")).isEqualTo(2);
    assertThat(err()).contains("expected a scenario without a network of its own, found wide-area");
    assertThat(run("steady", "--bandwidth", "7")).isEqualTo(2);
    assertThat(err()).contains("expected 0 or at least 1000 bytes per second, found 7");
  }

  @Test
  void agentsAreOfAFleetOrAStormAndOfABrokerOfItsOwn() {
    assertThat(run("steady", "--agents", "20")).isEqualTo(2);
    assertThat(err()).contains("--agents: expected a scenario with a fleet or a storm");
    assertThat(run("scale", "--agents", "0")).isEqualTo(2);
    assertThat(err()).contains("--agents: expected 1 to 10000, found 0");
    assertThat(run("scale", "--target", "a=http://127.0.0.1:1")).isEqualTo(2);
    assertThat(err()).contains("--target, --broker: expected none, as scale has simulated agents");
  }

  @Test
  void drivesSeveralUrlsInTurnsAndComparesItsRuns() throws Exception {
    Path scenario = Files.writeString(directory.resolve("few.yaml"), SCENARIO);
    Path results = directory.resolve("results");
    try (ExampleErp one = ExampleErp.start(0);
        ExampleErp other = ExampleErp.start(0)) {
      // A generator that shares its machine with other tests may be late, which is said as well.
      assertThat(
              run(
                  scenario.toString(),
                  "--target",
                  "one=" + one.url(),
                  "--target",
                  "other=" + other.url(),
                  "--out",
                  results.toString()))
          .as(() -> out() + err())
          .isIn(0, 1);
      assertThat(one.visits().requests()).isEqualTo(400);
      assertThat(other.visits().requests()).isEqualTo(400);
    }

    JsonNode json =
        JsonMapper.builder().build().readTree(Files.readAllBytes(results.resolve("result.json")));
    assertThat(json.path("segments").findValuesAsText("target"))
        .containsExactly("one", "other", "one", "other");
    assertThat(json.path("targets").path(0).path("flows").path(0).path("answered").asLong())
        .isEqualTo(400);
    assertThat(results.resolve("one.small.response.hlog")).isNotEmptyFile();
    assertThat(results.resolve("report.html")).isNotEmptyFile();
    assertThat(out()).contains("target one, 2 × 2 s", "results in " + results);
    assertThat(run("compare", results.toString(), results.toString())).isZero();
    assertThat(out()).contains("one small response p50 ms");
  }

  @Test
  void aTargetThatAnswersNothingIsItsOwnExitCode() throws Exception {
    Path scenario = Files.writeString(directory.resolve("few.yaml"), SCENARIO);

    int exitCode =
        run(
            scenario.toString(),
            "--target",
            "nobody=http://127.0.0.1:1",
            "--turns",
            "1",
            "--duration",
            "1",
            "--out",
            directory.resolve("results").toString());

    assertThat(exitCode).isEqualTo(5);
    assertThat(out()).contains("cannot connect: refused");
  }
}
