package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.broker.alarms.AlarmRig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Alarms about agents, by what agents really do.
class AgentAlarmsTest {
  @TempDir Path directory;
  private TestBroker broker;
  private TestAgent agent;
  private AlarmRig alarms;
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
    alarms = broker.alarmRig(Map.of());
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private FakeSession connect() {
    FakeSession session = agent.connect().serve();
    broker.agents().presence().write();
    return session;
  }

  private void disconnect(FakeSession session) {
    broker.sessions.cutAll();
    broker.authority().closed(session, "gone");
    broker.agents().presence().write();
  }

  /// Time with heartbeats of the node.
  private void pass(Duration time) {
    for (Duration left = time; left.isPositive(); left = left.minusSeconds(30)) {
      broker.pass(left.compareTo(Duration.ofSeconds(30)) < 0 ? left : Duration.ofSeconds(30));
      broker.agents().presence().beat();
    }
  }

  @Test
  void anAgentThatGoesAwayIsAnAlarmUntilItIsBackForAMinute() {
    FakeSession session = connect();
    pass(Duration.ofMinutes(10));
    alarms.look();
    assertThat(alarms.standing()).as("it is here").isEmpty();

    disconnect(session);
    pass(Duration.ofSeconds(119));
    alarms.look();
    assertThat(alarms.standing()).as("not for long enough").isEmpty();
    pass(Duration.ofSeconds(1));
    alarms.look();
    assertThat(alarms.standing()).containsExactly("agent-offline press");
    assertThat(alarms.only().address()).contains("198.51.100.4");

    disconnect(connect());
    alarms.look();
    pass(Duration.ofSeconds(90));
    alarms.look();
    assertThat(alarms.standing()).as("a short visit ends nothing").hasSize(1);
    assertThat(alarms.only().occurrences()).isEqualTo(1);

    connect();
    alarms.look();
    pass(Duration.ofMinutes(1));
    alarms.look();
    assertThat(alarms.standing()).isEmpty();
  }

  @Test
  void anAgentOfABrokerThatWasKilledIsAwaySinceItsLastHeartbeat() {
    connect();
    pass(Duration.ofMinutes(5));

    // No heartbeat any more.
    broker.pass(Duration.ofMinutes(3));
    alarms.look();

    assertThat(alarms.standing()).containsExactly("agent-offline press");
  }

  @Test
  void anAgentThatWasRevokedIsMissedByNobody() {
    disconnect(connect());
    pass(Duration.ofMinutes(3));
    alarms.look();
    assertThat(alarms.standing()).containsExactly("agent-offline press");

    assertThat(broker.revoke("press")).isEqualTo(new Outcome.Done());
    alarms.look();
    pass(Duration.ofMinutes(1));
    alarms.look();

    assertThat(alarms.standing()).isEmpty();
  }

  @Test
  void anAgentThatReconnectsAgainAndAgainIsAnAlarmUntilItStays() {
    for (int i = 0; i < 5; i++) {
      disconnect(connect());
      pass(Duration.ofSeconds(30));
    }
    alarms.look();
    assertThat(alarms.standing()).isEmpty();
    connect();
    alarms.look();
    assertThat(alarms.standing()).containsExactly("agent-flapping press");
    assertThat(alarms.only().message()).isEqualTo("6 new tunnels within 10 min");

    pass(Duration.ofMinutes(8));
    alarms.look();
    assertThat(alarms.standing()).as("four of them are not long ago").hasSize(1);
    pass(Duration.ofMinutes(3));
    alarms.look();
    pass(Duration.ofMinutes(1));
    alarms.look();
    assertThat(alarms.standing()).isEmpty();
  }

  @Test
  void aCloneIsAnAlarmUntilSomebodyDecides() {
    connect();
    agent.cloneOfDisk().connect().refusal();
    alarms.look();
    assertThat(alarms.standing()).containsExactly("agent-cloned press");
    assertThat(alarms.only().address()).contains("198.51.100.4");

    assertThat(broker.release("press", fingerprint)).isEqualTo(new Outcome.Done());
    alarms.look();

    assertThat(alarms.standing()).isEmpty();
  }
}
