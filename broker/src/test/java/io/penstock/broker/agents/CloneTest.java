package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.codec.ErrorCode;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CloneTest {
  @TempDir Path directory;
  private TestBroker broker;
  private TestAgent agent;
  private String fingerprint = "";

  @BeforeEach
  void start() {
    broker = new TestBroker(directory.resolve("data"));
    agent = new TestAgent(broker, "press");
    TestTunnel tunnel = agent.enroll(broker.tokenFor("press"));
    tunnel.prove();
    fingerprint = tunnel.pending().fingerprint();
    broker.approve("press", fingerprint);
    agent.disk.generation = tunnel.approvedGeneration();
    tunnel.hangUp();
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  @Test
  void twoLiveProcessesOnOneUnlockSecretQuarantineTheAgent() {
    FakeSession original = agent.connect().serve();
    TestAgent clone = agent.cloneOfDisk();

    TestTunnel tunnel = clone.connect();

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(tunnel.refusal().orElseThrow().retryAfterMs()).isPositive();
    assertThat(original.closedWith()).contains(ErrorCode.QUARANTINED);
    assertThat(broker.alarmKinds()).containsExactly("agent-cloned");
    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(tunnel.channel().sentAlready()).as("no bundle").isEmpty();
  }

  @Test
  void aRestartWhileTheOldTunnelSeemsAliveIsNoClone() {
    FakeSession halfOpen = agent.connect().serve();
    halfOpen.stopAnswering();
    agent.restart();

    FakeSession fresh = agent.connect().serve();

    assertThat(fresh.isOpen()).isTrue();
    assertThat(halfOpen.closedWith()).contains(ErrorCode.REPLACED);
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void severalTunnelsOfOneProcessAreNoClone() {
    agent.connect().serve();

    assertThat(agent.connect(1).serve().isOpen()).isTrue();
    assertThat(agent.connect(2).serve().isOpen()).isTrue();
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void aCopyUsedAfterTheOriginalRotatedRaisesTheAlarm() {
    TestAgent copy = agent.cloneOfDisk();
    agent.connect().serve();
    broker.sessions.cutAll();

    assertThat(copy.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(broker.alarmKinds()).containsExactly("agent-cloned");
  }

  @Test
  void theOriginalUsedAfterItsCopyRotatedRaisesTheAlarm() {
    agent.connect().serve();
    broker.sessions.cutAll();
    TestAgent copy = agent.cloneOfDisk();
    copy.connect().serve();
    broker.sessions.cutAll();

    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
  }

  @Test
  void ofTwoCopiesThatComeAtTheSameMomentNoneStays() {
    agent.connect().serve();
    broker.sessions.cutAll();
    TestAgent copy = agent.cloneOfDisk();

    TestTunnel first = agent.connect();
    var welcome = first.welcome();
    TestTunnel second = copy.connect();
    first.ready(welcome);

    assertThat(second.refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(first.channel().session().orElseThrow().closedWith())
        .contains(ErrorCode.QUARANTINED);
  }

  @Test
  void aReleaseNeedsTheFingerprint() {
    agent.connect().serve();
    agent.cloneOfDisk().connect().refusal();

    assertThat(broker.release("press", "0000-0000")).isEqualTo(new Outcome.FingerprintMismatch());
    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(broker.release("press", fingerprint)).isEqualTo(new Outcome.Done());
    assertThat(agent.connect().serve().isOpen()).isTrue();
    assertThat(broker.release("press", fingerprint)).isEqualTo(new Outcome.WrongState("approved"));
  }

  @Test
  void aReEnrollmentEndsTheQuarantine() {
    agent.connect().serve();
    agent.cloneOfDisk().connect().refusal();
    var fresh = new TestAgent(broker, "press");

    fresh.approved(
        broker.token(
            java.util.Optional.of("press"), java.util.Optional.empty(), java.util.List.of(), true));

    assertThat(fresh.connect().serve().isOpen()).isTrue();
  }
}
