package io.penstock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.mock.MockSession;
import io.penstock.agent.mock.TestCa;
import io.penstock.agent.plugin.http.RawSystem;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestHead;
import io.penstock.codec.RequestIds;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.mux.StreamListener;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The agent as its own process, as an administrator runs it.
final class AgentProcessTest {
  private final List<Process> processes = new ArrayList<>();
  @TempDir private Path parent;
  private Path directory;
  private MockBroker broker;

  @BeforeEach
  void start() throws Exception {
    broker = new MockBroker(new TestCa("owner"));
    directory = parent.resolve("data");
  }

  @AfterEach
  void stop() throws Exception {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
    broker.close();
  }

  /// A running agent, with its lines as they come.
  private static final class Running {
    private final Process process;
    private final BlockingQueue<String> out = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> err = new LinkedBlockingQueue<>();

    @SuppressWarnings("JdkObsolete") // two readers append
    private final StringBuffer all = new StringBuffer();

    private final List<Thread> readers;

    Running(Process process) {
      this.process = process;
      readers =
          List.of(
              Thread.ofVirtual().start(() -> read(process.inputReader(), out)),
              Thread.ofVirtual().start(() -> read(process.errorReader(), err)));
    }

    private void read(BufferedReader from, BlockingQueue<String> lines) {
      try (from) {
        for (String line = from.readLine(); line != null; line = from.readLine()) {
          all.append(line).append('\n');
          lines.add(line);
        }
      } catch (IOException killed) {
        all.append("(ended)\n");
      }
    }

    String awaitOut() throws InterruptedException {
      String line = out.poll(60, TimeUnit.SECONDS);
      assertThat(line).as("standard output; all so far: %s", all).isNotNull();
      return String.valueOf(line);
    }

    String awaitErr(String part) throws InterruptedException {
      while (true) {
        String line = err.poll(60, TimeUnit.SECONDS);
        assertThat(line).as("a line with '%s'; all so far: %s", part, all).isNotNull();
        if (String.valueOf(line).contains(part)) {
          return String.valueOf(line);
        }
      }
    }

    int awaitExit() throws InterruptedException {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends; so far: %s", all).isTrue();
      for (Thread reader : readers) {
        reader.join();
      }
      return process.exitValue();
    }
  }

  private Running run(Map<String, String> environment, List<String> jvm, String... arguments)
      throws IOException {
    return runTyping("", environment, jvm, arguments);
  }

  private Running runTyping(
      String input, Map<String, String> environment, List<String> jvm, String... arguments)
      throws IOException {
    var command = new ArrayList<String>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:TieredStopAtLevel=1",
            "-Xmx128m",
            // As shipped, not as in tests.
            "-Dlogback.configurationFile=logback.xml",
            "-ea"));
    command.addAll(jvm);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Agent.class.getName()));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command);
    builder.environment().put("PENSTOCK_METRICS_PORT", "0");
    builder.environment().putAll(environment);
    Process process = builder.start();
    processes.add(process);
    process.getOutputStream().write(input.getBytes(StandardCharsets.US_ASCII));
    process.getOutputStream().close();
    return new Running(process);
  }

  private Running runWithToken(String... jvm) throws IOException {
    return run(
        Map.of("PENSTOCK_ENROLLMENT_TOKEN", broker.token().text()),
        List.of(jvm),
        "--data",
        directory.toString());
  }

  private Running runAgain(String... arguments) throws IOException {
    var all = new ArrayList<>(List.of("--data", directory.toString()));
    all.addAll(List.of(arguments));
    return run(Map.of(), List.of(), all.toArray(String[]::new));
  }

  @Test
  void printsItsFingerprintAndStopsOnSigterm() throws Exception {
    Running agent = runWithToken();

    assertThat(agent.awaitOut()).isEqualTo("fingerprint " + broker.fingerprint());
    broker.approve();
    MockSession session = broker.awaitAdmitted();
    // The broker knows of a tunnel before the agent does.
    agent.awaitErr("tunnel 0: up");
    agent.process.destroy();

    assertThat(agent.awaitExit()).isZero();
    assertThat(session.closedByAgent().get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.SHUTDOWN);
    assertThat(directory.resolve("fingerprint")).hasContent(broker.fingerprint() + "\n");
  }

  @Test
  void stopsOnSigtermWhileItCannotReachItsBroker() throws Exception {
    int port = broker.port();
    broker.close();
    Running agent = runWithToken();

    assertThat(agent.awaitErr("failed:"))
        .contains("tunnel 0: TCP failed")
        .contains(":" + port)
        .contains("next try in");
    agent.process.destroy();
    assertThat(agent.awaitExit()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"unlock-after-next-sent", "unlock-after-switch"})
  void logsInAgainAfterARealKillInTheRotation(String failpoint) throws Exception {
    broker.approve();
    Running killed = runWithToken("-Dpenstock.failpoint=" + failpoint);
    assertThat(killed.awaitExit()).isEqualTo(137);

    Running agent = runAgain();
    broker.awaitAdmitted();
    agent.process.destroy();
    assertThat(agent.awaitExit()).isZero();
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void enrollsAgainAfterARealKillRightAfterMessage3() throws Exception {
    Path tokenFile = Files.writeString(parent.resolve("token"), broker.token().text());
    Running killed =
        run(
            Map.of("PENSTOCK_TOKEN_FILE", tokenFile.toString()),
            List.of("-Dpenstock.failpoint=enroll-after-message-3"),
            "--data",
            directory.toString());
    assertThat(killed.awaitExit()).isEqualTo(137);

    Running agent = runAgain("--token-file", tokenFile.toString());
    assertThat(agent.awaitOut()).startsWith("fingerprint ");
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void keepsATokenOfStandardInputThroughAKill() throws Exception {
    Running killed =
        runTyping(
            broker.token().text() + "\n",
            Map.of(),
            List.of("-Dpenstock.failpoint=enroll-after-message-3"),
            "--data",
            directory.toString());
    assertThat(killed.awaitExit()).isEqualTo(137);

    Running agent = runAgain();
    assertThat(agent.awaitOut()).startsWith("fingerprint ");
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void refusesATokenInItsArgumentsWithoutRepeatingIt() throws Exception {
    String token = broker.token().text();
    Running agent = run(Map.of(), List.of(), token);

    assertThat(agent.awaitExit()).isEqualTo(2);
    assertThat(agent.all).contains("have this one revoked").doesNotContain(token);
    assertThat(run(Map.of(), List.of(), "--token=" + token).awaitExit()).isEqualTo(2);
  }

  @Test
  void refusesAnUnknownArgumentWithoutRepeatingIt() throws Exception {
    Running agent = run(Map.of(), List.of(), "canary-secret");

    assertThat(agent.awaitExit()).isEqualTo(2);
    assertThat(agent.all).doesNotContain("canary-secret");
  }

  @Test
  void listsEveryProblemOfItsConfiguration() throws Exception {
    Path file =
        Files.writeString(
            parent.resolve("agent.yaml"),
            """
            speed: 7
            tunnels: 99
            systems:
              - {name: erp, plugin: http, settings: {base_url: "ftp://x"}}
              - {name: plc, plugin: modbus}
            """);
    Running agent = run(Map.of(), List.of(), "--config", file.toString());

    assertThat(agent.awaitExit()).isEqualTo(3);
    assertThat(agent.all)
        .contains("speed: unknown key")
        .contains("tunnels: expected")
        .contains("base_url")
        .contains("modbus");
  }

  @Test
  void saysThatItNeedsAToken() throws Exception {
    Running agent = runAgain();

    assertThat(agent.awaitExit()).isEqualTo(3);
    assertThat(agent.all).contains("give an enrollment token");
  }

  @Test
  void namesAMistypedToken() throws Exception {
    String token = broker.token().text();
    Running agent =
        run(
            Map.of("PENSTOCK_ENROLLMENT_TOKEN", token.substring(0, token.length() - 2) + "xx"),
            List.of(),
            "--data",
            directory.toString());

    assertThat(agent.awaitExit()).isEqualTo(3);
    assertThat(agent.all).contains("mistyped").doesNotContain(token.substring(20, 40));
  }

  @Test
  void endsWithFourWhenItsTokenIsDenied() throws Exception {
    broker.denyEnrollment();
    Running agent = runWithToken();

    assertThat(agent.awaitExit()).isEqualTo(4);
    assertThat(agent.all).contains("ENROLL_DENIED");
  }

  @Test
  void endsWithFourAndAnEmptyDirectoryWhenRevoked() throws Exception {
    broker.approve();
    Running agent = runWithToken();
    broker.revoke(broker.awaitAdmitted());

    assertThat(agent.awaitExit()).isEqualTo(4);
    assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
  }

  @Test
  void endsWithThreeAndKeepsAStateFileThatIsNotItsOwn() throws Exception {
    broker.approve();
    Running agent = runWithToken();
    broker.awaitAdmitted();
    agent.process.destroy();
    agent.awaitExit();
    Path state = Files.writeString(directory.resolve("state"), "penstock-state-1 of another\n{}");
    Running again = runAgain();

    assertThat(again.awaitExit()).isEqualTo(3);
    assertThat(again.all).contains("state: expected the authentication code", "delete it");
    assertThat(state).hasContent("penstock-state-1 of another\n{}");
  }

  @Test
  void refusesASecondAgentOnItsDirectory() throws Exception {
    Running first = runWithToken();
    first.awaitOut();
    Running second = runAgain();

    assertThat(second.awaitExit()).isEqualTo(3);
    assertThat(second.all).contains("in use by another agent");
    assertThat(first.process.isAlive()).isTrue();
  }

  @Test
  void keepsItsTokenOutOfEverythingItWrites() throws Exception {
    broker.approve();
    Running agent = runWithToken();
    broker.awaitAdmitted();
    agent.process.destroy();
    agent.awaitExit();
    String token = broker.token().text();

    assertThat(agent.all)
        .doesNotContain(token.substring(0, 40))
        .doesNotContain(token.substring(40, 80));
    try (var files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
            .doesNotContain(token.substring(5, 40));
      }
    }
  }

  @Test
  void servesASystemAndTellsItsHealth() throws Exception {
    broker.approve();
    try (var system = new RawSystem()) {
      Thread.ofVirtual().start(() -> system.answerNext("ok"));
      broker.cloud().deploy("mes", 3, "{\"base_url\":\"http://127.0.0.1:1\",\"allow\":[]}", null);
      Path file =
          Files.writeString(
              parent.resolve("agent.yaml"),
              """
              systems:
                - name: erp
                  plugin: http
                  settings: {base_url: "http://127.0.0.1:%d"}
                  allow: [{methods: [GET], paths: [/api/**]}]
              """
                  .formatted(system.port()));
      Running agent =
          run(
              Map.of("PENSTOCK_ENROLLMENT_TOKEN", broker.token().text()),
              List.of(),
              "--data",
              directory.toString(),
              "--config",
              file.toString());
      var port = Pattern.compile("http://127.0.0.1:(\\d+)").matcher(agent.awaitErr("metrics and"));
      assertThat(port.find()).isTrue();
      MockSession session = broker.awaitAdmitted();

      session.awaitReport(it -> it.systems().stream().anyMatch(each -> each.state() == State.LIVE));

      assertThat(session.rules().orElseThrow().systems().getFirst().system()).isEqualTo("erp");
      assertThat(get(session, "/api/orders")).isEqualTo("HEAD 200");
      assertThat(get(session, "/secret")).isEqualTo("RESET NOT_EXPOSED");
      String base = "http://127.0.0.1:" + port.group(1);
      assertThat(page(base + "/health").body())
          .contains("\"status\":\"ok\"", "\"up\":true")
          .contains("{\"system\":\"mes\",\"version\":3,\"state\":\"live\"}", "\"stale\":false");
      assertThat(page(base + "/health/ready").statusCode()).isEqualTo(200);
      assertThat(page(base + "/metrics").body())
          .contains("penstock_agent_tunnels_up 1\n", "penstock_agent_streams_total 2\n")
          .contains("penstock_agent_system_version{system=\"mes\",state=\"live\"} 3\n")
          .contains("penstock_agent_configuration_stale 0\n");
    }
  }

  private static HttpResponse<String> page(String url) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void endsWithFourWhenRevokedOnATunnelThatItRetires() throws Exception {
    broker.approve();
    try (var silent = new RawSystem()) {
      Path file =
          Files.writeString(
              parent.resolve("agent.yaml"),
              """
              systems:
                - name: erp
                  plugin: http
                  settings: {base_url: "http://127.0.0.1:%d"}
                  allow: [{methods: [GET], paths: [/api/**]}]
              """
                  .formatted(silent.port()));
      Running agent =
          run(
              Map.of("PENSTOCK_ENROLLMENT_TOKEN", broker.token().text()),
              List.of(),
              "--data",
              directory.toString(),
              "--config",
              file.toString());
      MockSession old = broker.awaitAdmitted();
      // What keeps the old tunnel open while it retires.
      CompletableFuture<String> running = call(old, "/api/orders");
      old.drain(0, 20_000);
      broker.awaitAdmitted();
      assertThat(running).isNotDone();
      broker.revoke(old);

      assertThat(agent.awaitExit()).isEqualTo(4);
      assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
    }
  }

  private static String get(MockSession session, String path) throws Exception {
    return call(session, path).get(20, TimeUnit.SECONDS);
  }

  private static CompletableFuture<String> call(MockSession session, String path) {
    var heard = new CompletableFuture<String>();
    session
        .eventLoop()
        .execute(
            () -> {
              var head = Unpooled.buffer();
              new OpenHead(
                      StreamKind.HTTP,
                      Deadlines.DEFAULT,
                      new RequestIds(1, 2, 3, 4, 5, 0),
                      AsciiString.of("erp"),
                      AsciiString.of("svc"))
                  .write(head);
              new RequestHead(AsciiString.of("GET"), AsciiString.of(path), new Fields())
                  .write(head);
              session.core().open(head, true, new Heard(heard));
            });
    return heard;
  }

  private record Heard(CompletableFuture<String> heard) implements StreamListener {
    @Override
    public void onHead(ByteBuf head, boolean end) {
      try {
        heard.complete("HEAD " + AnswerHead.read(head).status());
      } catch (ProtocolException broken) {
        heard.completeExceptionally(broken);
      }
    }

    @Override
    public void onData(ByteBuf data, boolean end) {}

    @Override
    public void onReset(ErrorCode code, boolean untouched, String text) {
      heard.complete("RESET " + code);
    }
  }
}
