package io.penstock.loadtest.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.fault.Home;
import io.penstock.loadtest.fault.Launch;
import io.penstock.loadtest.fault.PenstockProcess;
import io.penstock.loadtest.fault.PostgresPrograms;
import io.penstock.loadtest.fault.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The demo from the built jars, as a user runs it.
@Timeout(600)
class DemoIT {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final Pattern JSON_LINE = Pattern.compile("^\\{\"url\".*}$");
  private static final List<String> STEPS =
      List.of(
          "erp",
          "broker",
          "login",
          "token",
          "agent",
          "fingerprint",
          "approve",
          "online",
          "service-account",
          "configure",
          "deploy",
          "json",
          "post",
          "download",
          "upload",
          "slow",
          "error",
          "not-exposed",
          "secret");

  @TempDir Path directory;
  private Processes processes;

  @BeforeEach
  void prepare() throws IOException {
    processes = new Processes(Home.find(), Files.createDirectory(directory.resolve("logs")));
  }

  @AfterEach
  void stop() {
    processes.close();
  }

  @Test
  void everyStepPassesOnceAndAgainOnTheSameData() throws Exception {
    Path data = data();

    JsonNode first = once(data);
    assertThat(first.path("steps").findValuesAsText("name")).containsExactlyElementsOf(STEPS);
    assertThat(first.path("steps").findValuesAsText("ok")).containsOnly("true");
    assertThat(Path.of(first.path("ca_file").asText())).exists();
    assertNowhere(data, first.path("service_token").asText(), "service-token.header");
    assertNowhere(data, first.path("password").asText(), "demo.json");

    JsonNode again = once(data);
    assertThat(again.path("steps").findValuesAsText("name"))
        .doesNotContain("token", "fingerprint", "approve")
        .contains("agent", "online", "download");
    assertThat(again.path("steps").findValuesAsText("ok")).containsOnly("true");
    assertThat(again.path("password")).isEqualTo(first.path("password"));
  }

  @Test
  void runsUntilItIsTerminatedAndLeavesNoProcessBehind() throws Exception {
    PenstockProcess demo =
        processes.start(Launch.demo("--json", "--port", "0", "--data", data().toString()));
    demo.awaitLine(JSON_LINE, PATIENCE);
    List<ProcessHandle> children =
        ProcessHandle.of(demo.pid()).orElseThrow().descendants().toList();

    demo.terminate();

    assertThat(demo.awaitExit(Duration.ofSeconds(60))).isZero();
    assertThat(children).isNotEmpty().noneMatch(ProcessHandle::isAlive);
  }

  private Path data() throws IOException {
    Path data = directory.resolve("data");
    PostgresPrograms.layInto(data.resolve("broker"));
    return data;
  }

  private JsonNode once(Path data) throws IOException {
    PenstockProcess demo =
        processes.start(Launch.demo("--once", "--json", "--port", "0", "--data", data.toString()));
    int exitCode = demo.awaitExit(PATIENCE);
    List<String> lines = demo.lines();
    assertThat(exitCode).as(() -> String.join("\n", lines)).isZero();
    return JsonMapper.builder().build().readTree(lines.getLast());
  }

  /// Secrets stand in the one file that is theirs, and in no log or configuration.
  private static void assertNowhere(Path data, String secret, String but) throws IOException {
    assertThat(secret).hasSizeGreaterThan(7);
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.getFileName().toString().equals(but)) {
          assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
              .as("%s", file)
              .doesNotContain(secret);
        }
      }
    }
  }
}
