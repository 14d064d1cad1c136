package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.UnlockNext;
import io.penstock.codec.noise.StaticKeyPair;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UnlockRotationTest {
  @TempDir Path directory;
  private TestBroker broker;
  private TestAgent agent;

  @BeforeEach
  void start() {
    broker = new TestBroker(directory.resolve("data"));
    agent = new TestAgent(broker, "press").approved();
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  /// The last thing the agent did before it was killed.
  enum Died {
    BEFORE_READY,
    AFTER_READY,
    AFTER_ADMITTED,
    AFTER_NEXT_WAS_WRITTEN,
    AFTER_NEXT_WAS_SENT,
    AFTER_STORED,
    AFTER_THE_FILE_WAS_SWITCHED,
    AFTER_COMMIT
  }

  private void dieAt(Died died) {
    TestTunnel tunnel = agent.connect();
    var welcome = tunnel.welcome();
    for (Died step : Died.values()) {
      switch (step) {
        case BEFORE_READY -> {}
        case AFTER_READY -> tunnel.ready(welcome);
        case AFTER_ADMITTED -> tunnel.expect(Admitted.class);
        case AFTER_NEXT_WAS_WRITTEN -> agent.disk.next = StaticKeyPair.generate();
        case AFTER_NEXT_WAS_SENT -> tunnel.unlockNext();
        case AFTER_STORED -> tunnel.unlockStored();
        case AFTER_THE_FILE_WAS_SWITCHED -> tunnel.switchFile();
        case AFTER_COMMIT -> tunnel.unlockCommit();
      }
      if (step == died) {
        break;
      }
    }
    tunnel.hangUp();
    tunnel.refusal();
    agent.restart();
  }

  @ParameterizedTest
  @EnumSource
  void anAgentKilledAtAnyStepLogsInAgainWithoutAlarm(Died died) {
    dieAt(died);

    FakeSession session = agent.connect().serve();

    assertThat(session.isOpen()).isTrue();
    assertThat(broker.alarms()).isEmpty();
    broker.sessions.cutAll();
    agent.restart();
    assertThat(agent.connect().serve().isOpen()).isTrue();
    assertThat(broker.alarms()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void anAgentKilledTwiceAtTheSameStepLogsInAgainWithoutAlarm(Died died) {
    dieAt(died);
    dieAt(died);

    assertThat(agent.connect().serve().isOpen()).isTrue();
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void aProcessRotatesOnceAndItsOtherTunnelsDoNot() {
    agent.connect().serve();

    TestTunnel second = agent.connect(1);

    assertThat(second.admitted().rotateUnlock()).isFalse();
    assertThat(second.refusal()).isEmpty();
    broker.sessions.cutAll();
    assertThat(agent.connect().admitted().rotateUnlock()).isFalse();
  }

  @Test
  void aTunnelLostBeforeTheSwitchRotatesAgainInTheSameProcess() {
    TestTunnel tunnel = agent.connect();
    tunnel.admitted();
    tunnel.unlockNext();
    tunnel.unlockStored();
    tunnel.hangUp();

    FakeSession session = agent.connect().serve();

    assertThat(session.isOpen()).isTrue();
    assertThat(agent.disk.unlockEpoch).isEqualTo(1);
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void aTunnelLostBeforeTheCommitIsCommittedByTheNextLogin() {
    TestTunnel tunnel = agent.connect();
    tunnel.admitted();
    StaticKeyPair old = agent.disk.current;
    tunnel.unlockNext();
    tunnel.unlockStored();
    tunnel.switchFile();
    tunnel.hangUp();

    TestTunnel again = agent.connect();

    assertThat(again.admitted().rotateUnlock()).isFalse();
    assertThat(again.refusal()).isEmpty();
    assertThat(agent.connect(old, 0).refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
  }

  @Test
  void theRetiredKeyRaisesTheAlarmAtOnceAfterTheCommit() {
    StaticKeyPair old = agent.disk.current;
    FakeSession session = agent.connect().serve();

    TestTunnel late = agent.connect(old, 0);

    assertThat(late.refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(broker.alarmKinds()).containsExactly("agent-cloned");
    assertThat(session.closedWith()).contains(ErrorCode.QUARANTINED);
  }

  @Test
  void aNextThatWasReplacedIsRetiredToo() {
    TestTunnel tunnel = agent.connect();
    tunnel.admitted();
    tunnel.unlockNext();
    StaticKeyPair discarded = java.util.Objects.requireNonNull(agent.disk.next);
    tunnel.unlockStored();
    tunnel.hangUp();
    agent.restart();
    agent.connect().serve();

    assertThat(agent.connect(discarded, 0).refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
  }

  @Test
  void anEpochOutOfOrderIsRefused() {
    TestTunnel tunnel = agent.connect();
    tunnel.admitted();

    tunnel
        .channel()
        .play(new UnlockNext(7, StaticKeyPair.generate().publicKey().bytes(), new byte[300]));

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.PROTOCOL_ERROR);
    assertThat(agent.connect().serve().isOpen()).isTrue();
  }

  @Test
  void aKeyThatSomebodyHasIsRefusedAsNext() {
    TestAgent other = new TestAgent(broker, "lathe").approved();
    TestTunnel tunnel = agent.connect();
    tunnel.admitted();

    tunnel.channel().play(new UnlockNext(1, other.disk.current.publicKey().bytes(), new byte[300]));

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.PROTOCOL_ERROR);
  }

  @Test
  void aCommitOfAnotherEpochIsRefused() {
    TestTunnel tunnel = agent.connect();
    tunnel.admitted();
    tunnel.unlockNext();
    tunnel.unlockStored();

    tunnel.channel().play(new UnlockCommit(5));

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.PROTOCOL_ERROR);
  }

  @Test
  void anOvertakenSessionStoresNothing() {
    TestTunnel overtaken = agent.connect();
    overtaken.admitted();
    broker.tamper("update session_epochs set epoch = epoch + 1");

    overtaken.unlockNext();

    assertThat(overtaken.refusedWith()).isEqualTo(ErrorCode.REPLACED);
    agent.restart();
    assertThat(agent.connect().serve().isOpen()).isTrue();
  }
}
