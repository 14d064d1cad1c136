package io.penstock.broker.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Command;

class DoctorTest {
  @TempDir Path home;

  private Shell shell() {
    return new Shell(home, Clock.systemUTC());
  }

  @Test
  void walksAllStagesOfTheWayToABroker() throws Exception {
    try (FakeBroker broker = FakeBroker.start().when("GET /health/ready", 200, "{}")) {
      JsonNode result = doctor(shell(), "--url", broker.url().toString(), "--ca", ca(broker));

      assertThat(result.path("stages").findValuesAsText("stage"))
          .containsExactly("JDK", "DNS", "TCP", "TLS", "HTTP", "clock", "WebSocket");
      assertThat(result.path("ok").asBoolean()).isTrue();
    }
  }

  @Test
  void aStartCacheThatTheJvmDoesNotTakeIsAWarning() throws Exception {
    Path jar = Files.copy(jarOf(Command.class), home.resolve("broker.jar"));
    Path cache = home.resolve("broker.aot");
    Path record = home.resolve("broker.aotconf");
    java(jar, "-XX:AOTMode=record", "-XX:AOTConfiguration=" + record);
    java(jar, "-XX:AOTMode=create", "-XX:AOTConfiguration=" + record, "-XX:AOTCache=" + cache);

    assertThat(MachineCheck.startCache(true, jar).line()).startsWith("ok start cache");
    assertThat(MachineCheck.startCache(false, jar).line())
        .startsWith("warn start cache")
        .contains("found none", "warm-up");
    Files.delete(cache);
    Files.writeString(cache, "noise");
    assertThat(MachineCheck.startCache(true, jar).line())
        .startsWith("warn start cache")
        .contains("does not take", "warm-up");
  }

  private static Path jarOf(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static void java(Path jar, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(MachineCheck.SERVER_OPTIONS);
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", jar.toString(), "-version"));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(process.waitFor()).isZero();
  }

  @Test
  void saysEachStageInOneLine() throws Exception {
    try (FakeBroker broker = FakeBroker.start().when("GET /health/ready", 200, "{}")) {
      Shell.Result result = shell().doctor("--url", broker.url().toString(), "--ca", ca(broker));

      assertThat(result.exitCode()).isZero();
      assertThat(result.out().lines())
          .anyMatch(line -> line.startsWith("ok TLS – expected TLS 1.3"))
          .anyMatch(line -> line.startsWith("warn WebSocket – ") && line.contains("found 404"))
          .last()
          .asString()
          .isEqualTo("all stages passed");
    }
  }

  @Test
  void clockApartByMoreThanHalfAMinuteIsAWarning() throws Exception {
    try (FakeBroker broker = FakeBroker.start().when("GET /health/ready", 200, "{}")) {
      Shell ahead = new Shell(home, Clock.offset(Clock.systemUTC(), Duration.ofMinutes(5)));

      JsonNode result = doctor(ahead, "--url", broker.url().toString(), "--ca", ca(broker));

      assertThat(level(result, "clock")).isEqualTo("warn");
    }
  }

  @Test
  void expiredCertificateFailsAtTlsAndIsShown() throws Exception {
    Instant yesterday = Instant.now().minus(1, ChronoUnit.DAYS).truncatedTo(ChronoUnit.SECONDS);
    try (FakeBroker broker = FakeBroker.start(TestCertificates.validUntil(yesterday))) {
      JsonNode result = doctor(shell(), "--url", broker.url().toString(), "--ca", ca(broker));

      assertThat(result.path("failed_stage").asText()).isEqualTo("TLS");
      assertThat(result.toString()).contains(yesterday.toString());
    }
  }

  @Test
  void certificateNearItsEndIsAWarning() throws Exception {
    try (FakeBroker broker =
        FakeBroker.start(TestCertificates.validUntil(Instant.now().plus(3, ChronoUnit.DAYS)))) {
      broker.when("GET /health/ready", 200, "{}");

      JsonNode result = doctor(shell(), "--url", broker.url().toString(), "--ca", ca(broker));

      assertThat(level(result, "TLS")).isEqualTo("warn");
      assertThat(result.path("ok").asBoolean()).isTrue();
    }
  }

  @Test
  void brokerThatIsNotReadyFailsAtHttp() throws Exception {
    try (FakeBroker broker = FakeBroker.start().when("GET /health/ready", 503, "{}")) {
      JsonNode result = doctor(shell(), "--url", broker.url().toString(), "--ca", ca(broker));

      assertThat(result.path("failed_stage").asText()).isEqualTo("HTTP");
    }
  }

  @Test
  void aPortHeldByAStrangerFails() throws Exception {
    try (ServerSocket stranger = new ServerSocket()) {
      stranger.bind(new InetSocketAddress(InetAddress.getByName("0.0.0.0"), 0));
      Thread closing = Thread.ofVirtual().start(() -> closeWhoeverComes(stranger));

      JsonNode result = doctor(shell(), "--port", String.valueOf(stranger.getLocalPort()));

      assertThat(result.path("failed_stage").asText()).isEqualTo("port");
      closing.interrupt();
    }
  }

  @Test
  void aPortHeldByABrokerIsFineAndTheBrokerIsLookedAt() throws Exception {
    try (FakeBroker broker = FakeBroker.start().when("GET /health/ready", 200, "{}")) {
      JsonNode result =
          doctor(shell(), "--port", String.valueOf(broker.port()), "--ca", ca(broker));

      assertThat(level(result, "port")).isEqualTo("ok");
      assertThat(level(result, "TLS")).isEqualTo("ok");
    }
  }

  @Test
  void dataDirectoryOpenToOthersFails() throws Exception {
    Path data = Files.createDirectory(home.resolve("data"));
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));

    Shell.Result result = shell().doctor("--data", data.toString());

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).contains("FAIL data – ", "chmod 700 " + data, "failed at: data");
  }

  @Test
  void secretFileOpenToOthersIsAWarningButTheCaIsNot() throws Exception {
    Path data = Files.createDirectory(home.resolve("data"));
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
    Path caFile = Files.writeString(data.resolve("other"), "x");
    Files.setPosixFilePermissions(caFile, PosixFilePermissions.fromString("rw-r--r--"));

    Shell.Result result = shell().doctor("--data", data.toString());

    assertThat(result.out()).contains("warn data – ", "chmod 600 " + caFile);
  }

  @Test
  void databaseThatIsNotThereFailsAndItsPasswordIsNeverSaid() throws Exception {
    int closed;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closed = socket.getLocalPort();
    }
    Path config = home.resolve("broker.yaml");
    Files.writeString(
        config, "database:\n  url: postgresql://penstock:hush@localhost:" + closed + "/penstock\n");

    Shell.Result result = shell().doctor("--config", config.toString());

    assertThat(result.out()).contains("FAIL database TCP").doesNotContain("hush");
  }

  @Test
  void configurationThatIsNoYamlIsNamedWithoutItsText() throws Exception {
    Path config = Files.writeString(home.resolve("broker.yaml"), "a: b\npassword: 'hush\n");

    Shell.Result result = shell().doctor("--config", config.toString());

    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("not valid YAML").doesNotContain("hush");
  }

  @Test
  void anotherJdkFails() {
    Finding finding = MachineCheck.jdk(Runtime.Version.parse("17.0.15"), "/opt/jdk-17");

    assertThat(finding.failed()).isTrue();
    assertThat(finding.line()).contains("FAIL JDK", "17.0.15", "/opt/jdk-17");
  }

  private String ca(FakeBroker broker) throws Exception {
    return Files.writeString(home.resolve("broker-ca.pem"), broker.caPem()).toString();
  }

  private static JsonNode doctor(Shell shell, String... args) {
    String[] withJson = java.util.Arrays.copyOf(args, args.length + 1);
    withJson[args.length] = "--json";
    return Json.parse(shell.doctor(withJson).out().getBytes(StandardCharsets.UTF_8)).orElseThrow();
  }

  private static String level(JsonNode result, String stage) {
    for (JsonNode finding : result.path("stages")) {
      if (finding.path("stage").asText().equals(stage)) {
        return finding.path("level").asText();
      }
    }
    return "absent";
  }

  private static void closeWhoeverComes(ServerSocket server) {
    while (!Thread.interrupted()) {
      try {
        server.accept().close();
      } catch (java.io.IOException closed) {
        return;
      }
    }
  }
}
