package io.penstock.broker.systems;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.penstock.broker.systems.Refusal.Reason;
import io.penstock.broker.systems.SystemOperations.Edit;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.SystemOperations.Secrets;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.message.ControlMessage.TestStage;
import io.penstock.codec.message.Messages;
import io.penstock.codec.mux.MuxStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tests of systems, asked over a tunnel.
class SystemTestsTest {
  private static final TestReport REPORT =
      new TestReport(
          false,
          List.of(
              new TestStage("dns", true, 1_500, "10.1.2.3"),
              new TestStage("tcp", false, 20_000, "connection refused")));

  @TempDir Path directory;
  private final MultiThreadIoEventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private SystemsRig rig;

  @BeforeEach
  void start() {
    rig = new SystemsRig(directory.resolve("data"));
    rig.approved("press");
    var edit =
        new Edit(
            "http",
            "{\"base_url\":\"https://erp\",\"allow\":[]}".getBytes(StandardCharsets.UTF_8),
            new Secrets.None(false),
            OptionalLong.empty());
    assertThat(rig.systems.put("press", "erp", edit, SystemsRig.ADMIN))
        .isInstanceOf(Outcome.Done.class);
  }

  @AfterEach
  void stop() {
    rig.close();
    var _ = loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private ScriptedTunnel tunnel(int generation, ScriptedTunnel.Script script) {
    var tunnel = new ScriptedTunnel("press", generation, loops.next(), script);
    rig.sessions.add(tunnel);
    return tunnel;
  }

  private Outcome<TestReport> test(OptionalLong version) {
    return rig.systems.test("press", "erp", version, SystemsRig.ADMIN);
  }

  private Refusal refusal(OptionalLong version) {
    return switch (test(version)) {
      case Outcome.Done<TestReport>(TestReport report) -> throw new AssertionError(report);
      case Outcome.Refused<TestReport>(Refusal refusal) -> refusal;
    };
  }

  private static void answer(MuxStream stream, byte[] body) {
    ScriptedTunnel.head(stream, 200, false);
    // In two pieces, as a long one would come.
    stream.data(Unpooled.wrappedBuffer(body, 0, 5), false);
    stream.data(Unpooled.wrappedBuffer(body, 5, body.length - 5), true);
  }

  @Test
  void theAgentsReportComesBackStageByStage() {
    var asked = new ArrayList<String>();
    tunnel(
        1,
        (open, test, stream) -> {
          asked.add(open.kind() + " " + open.system() + " " + test.version());
          asked.add(open.caller() + " " + open.deadlines().totalMs());
          answer(stream, Messages.encode(REPORT));
        });

    assertThat(test(OptionalLong.of(1))).isEqualTo(new Outcome.Done<>(REPORT));
    assertThat(asked).containsExactly(StreamKind.DIAGNOSTIC + " erp 1", "admin@example.org 2000");
    assertThat(rig.audit().getLast().eventType()).isEqualTo("system.test");
    assertThat(rig.audit().getLast().changes()).containsEntry("ok", false);
  }

  @Test
  void withoutAVersionTheOneThatRunsIsMeant() {
    var asked = new ArrayList<String>();
    tunnel(
        1,
        (_, test, stream) -> {
          asked.add(String.valueOf(test.version()));
          answer(stream, Messages.encode(REPORT));
        });

    assertThat(test(OptionalLong.empty())).isInstanceOf(Outcome.Done.class);
    assertThat(asked).containsExactly("null");
  }

  @Test
  void anAgentWithoutATunnelIsOffline() {
    assertThat(refusal(OptionalLong.empty()).reason()).isEqualTo(Reason.AGENT_OFFLINE);
  }

  @Test
  void tunnelsThatDrainOrBelongToAnEndedGenerationAreNotAsked() {
    tunnel(1, (_, _, _) -> {}).draining = true;
    tunnel(0, (_, _, _) -> {});

    assertThat(refusal(OptionalLong.empty()).reason()).isEqualTo(Reason.AGENT_OFFLINE);
  }

  @Test
  void aVersionThatTheAgentDoesNotHaveIsSaid() {
    tunnel(1, (_, _, stream) -> ScriptedTunnel.head(stream, 404, true));

    assertThat(refusal(OptionalLong.empty()).reason()).isEqualTo(Reason.UNKNOWN_VERSION);
    assertThat(refusal(OptionalLong.of(9)).detail()).contains("no version 9");
  }

  @Test
  void anAgentThatNeverAnswersIsGivenUp() throws Exception {
    ScriptedTunnel silent = tunnel(1, (_, _, _) -> {});

    Refusal refusal = refusal(OptionalLong.empty());

    assertThat(refusal.reason()).isEqualTo(Reason.TEST_FAILED);
    assertThat(refusal.detail()).contains("within 2 s");
    assertThat(silent.reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @Test
  void anAnswerThatIsNoReportIsRefused() {
    tunnel(1, (_, _, stream) -> answer(stream, "not a report".getBytes(StandardCharsets.UTF_8)));

    assertThat(refusal(OptionalLong.empty()).reason()).isEqualTo(Reason.TEST_FAILED);
  }

  @Test
  void aReportWithoutEndIsCut() throws Exception {
    ScriptedTunnel flooding =
        tunnel(
            1,
            (_, _, stream) -> {
              ScriptedTunnel.head(stream, 200, false);
              stream.data(Unpooled.wrappedBuffer(new byte[100_000]), false);
            });

    assertThat(refusal(OptionalLong.empty()).detail()).contains("more than 65536 bytes");
    assertThat(flooding.reset.get(5, TimeUnit.SECONDS)).isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @Test
  void aTunnelThatBreaksMeanwhileIsSaid() {
    rig.sessions.clear();
    var holder = new ScriptedTunnel[1];
    holder[0] = tunnel(1, (_, _, _) -> holder[0].close(ErrorCode.SHUTDOWN, "gone"));

    assertThat(refusal(OptionalLong.empty()).reason()).isEqualTo(Reason.TEST_FAILED);
  }
}
