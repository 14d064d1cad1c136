package io.penstock.loadtest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LoadTestTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... args) {
    return LoadTest.run(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        args);
  }

  @Test
  void aScenarioThatIsNotBuiltIsWrongUsage() {
    assertThat(run("steady")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("no scenario is built yet");
  }

  @Test
  void helpSaysThatThereAreNoScenarios() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("none yet");
  }
}
