package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.agents.AgentOperations.AgentView;
import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.codec.ErrorCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentDirectoryTest {
  @TempDir Path directory;
  private TestBroker broker;

  @BeforeEach
  void start() {
    broker = new TestBroker(directory.resolve("data"));
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private AgentView view() {
    return broker.operations().find("press").orElseThrow();
  }

  @Test
  void showsAPendingAgentWithItsFingerprint() {
    TestTunnel tunnel = new TestAgent(broker, "press").enroll(broker.tokenFor("press"));
    tunnel.prove();
    String fingerprint = tunnel.pending().fingerprint();

    assertThat(view().state()).isEqualTo("pending");
    assertThat(view().fingerprint()).isEqualTo(fingerprint);
    assertThat(view().online()).isFalse();
    assertThat(view().enrollment().method()).isEqualTo("token");
    assertThat(view().enrollment().approvedBy()).isEmpty();
    assertThat(broker.operations().list()).containsExactly(view());
    tunnel.hangUp();
  }

  @Test
  void showsWhoApprovedAndWhoIsHere() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    agent.connect().serve();

    assertThat(view().state()).isEqualTo("approved");
    assertThat(view().online()).isTrue();
    assertThat(view().tunnels()).isEqualTo(1);
    assertThat(view().remoteIp()).contains("198.51.100.4");
    assertThat(view().labels()).containsEntry("hall", "7");
    assertThat(view().enrollment().approvedBy()).contains("admin@example.org");
  }

  @Test
  void showsAReEnrollmentBesideTheApprovedGeneration() {
    new TestAgent(broker, "press").approved();
    String approved = view().fingerprint();
    TestTunnel tunnel =
        new TestAgent(broker, "press")
            .enroll(broker.token(Optional.of("press"), Optional.empty(), List.of(), true));
    tunnel.prove();
    tunnel.pending();

    assertThat(view().fingerprint()).isEqualTo(approved);
    assertThat(view().pendingFingerprint()).contains(tunnel.fingerprint());
    assertThat(view().generation()).isEqualTo(1);
    tunnel.hangUp();
  }

  @Test
  void remembersWhereAnAgentWasAndHowLong() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    FakeSession session = agent.connect().serve();
    broker.agents().presence().write();
    broker.pass(Duration.ofHours(6));
    broker.sessions.cutAll();
    broker.authority().closed(session, "gone");
    broker.agents().presence().write();
    broker.pass(Duration.ofHours(6));

    assertThat(view().online()).isFalse();
    assertThat(view().remoteIp()).contains("198.51.100.4");
    assertThat(view().connectedAt()).isPresent();
    // Before it was approved nobody missed it.
    assertThat(view().availability24h()).isBetween(0.499, 0.501);
    broker.pass(Duration.ofHours(14));
    assertThat(view().availability24h()).isBetween(4 / 24.0 - 0.001, 4 / 24.0 + 0.001);
  }

  @Test
  void aKilledBrokersTunnelsEndWhereTheyWereLastSeenAlive() {
    new TestAgent(broker, "press").approved().connect().serve();
    broker.agents().presence().write();
    broker.pass(Duration.ofHours(6));
    broker.agents().presence().beat();
    broker.pass(Duration.ofHours(6));

    broker.restart();

    assertThat(view().availability24h()).isBetween(0.499, 0.501);
  }

  @Test
  void aDisconnectedAgentMayComeBack() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    FakeSession session = agent.connect().serve();

    assertThat(broker.operations().disconnect("press", TestBroker.ADMIN))
        .isEqualTo(new Outcome.Done());

    assertThat(session.closedWith()).contains(ErrorCode.SHUTDOWN);
    assertThat(agent.connect().serve().isOpen()).isTrue();
    assertThat(broker.operations().disconnect("lathe", TestBroker.ADMIN))
        .isEqualTo(new Outcome.UnknownAgent());
  }

  @Test
  void everyDecisionIsAuditedWithItsOperator() {
    new TestAgent(broker, "press").approved();
    broker.approve("press", "0000-0000");
    broker.operations().disconnect("press", TestBroker.ADMIN);
    broker.revoke("press");

    assertThat(broker.audit())
        .filteredOn(entry -> entry.user().equals(Optional.of("admin@example.org")))
        .extracting("eventType")
        .containsExactly(
            "gateway.approve", "gateway.approve", "gateway.disconnect", "gateway.revoke");
    assertThat(broker.audit())
        .filteredOn(entry -> entry.result().equals(Optional.of("denied")))
        .singleElement()
        .satisfies(entry -> assertThat(entry.reason()).contains("wrong-state"));
  }
}
