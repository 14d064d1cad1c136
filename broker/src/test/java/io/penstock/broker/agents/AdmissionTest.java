package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.Approved;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.Ready;
import io.penstock.codec.message.ControlMessage.Revoked;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.Revocation;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdmissionTest {
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

  private TestAgent approved() {
    return new TestAgent(broker, "press").approved();
  }

  @Test
  void welcomeCarriesTheNewestHead() {
    TestAgent agent = approved();
    broker.head = "head manifest";

    assertThat(agent.connect().welcome().headManifest()).isEqualTo("head manifest");
  }

  @Test
  void anApprovedAgentGetsItsInnerBundleAndASession() {
    TestAgent agent = approved();

    TestTunnel tunnel = agent.connect();
    Welcome welcome = tunnel.welcome();
    tunnel.ready(welcome);
    Admitted admitted = tunnel.expect(Admitted.class);
    tunnel.rotate();

    assertThat(tunnel.refusal()).isEmpty();
    assertThat(welcome.innerBundle()).hasSize(300);
    assertThat(admitted).isEqualTo(new Admitted(1, true, 1));
    assertThat(tunnel.channel().session().orElseThrow().admission().site()).isEqualTo("press");
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void theBundleRestsWrappedAndNeverAsTheAgentSentIt() {
    TestAgent agent = approved();

    broker
        .database()
        .run(
            tx ->
                assertThat(
                        new io.penstock.broker.store.IdentityTable()
                            .generations(tx, agent.name)
                            .get()
                            .getFirst()
                            .custody()
                            .current()
                            .wrappedBundle()
                            .orElseThrow()
                            .hex())
                    .doesNotContain(java.util.HexFormat.of().formatHex(agent.disk.currentBundle)));
  }

  @Test
  void theEpochRisesWithEverySession() {
    TestAgent agent = approved();
    agent.connect().serve();
    broker.sessions.cutAll();

    TestTunnel second = agent.connect();

    assertThat(second.admitted()).isEqualTo(new Admitted(2, false, 1));
    assertThat(second.refusal()).isEmpty();
  }

  @Test
  void aPendingAgentComesAgainWithoutATokenAndHearsOfItsApproval() {
    var agent = new TestAgent(broker, "press");
    TestTunnel enrolling = agent.enroll(broker.tokenFor("press"));
    enrolling.prove();
    Pending first = enrolling.pending();
    enrolling.hangUp();
    agent.disk.generation = 0;

    TestTunnel waiting = agent.connect();
    assertThat(waiting.pending()).isEqualTo(first);
    broker.approve("press", first.fingerprint());

    assertThat(waiting.approvedGeneration()).isEqualTo(1);
    waiting.hangUp();
    assertThat(waiting.refusal()).isEmpty();
  }

  @Test
  void anAgentThatMissedItsApprovalIsToldItsGeneration() {
    TestAgent agent = approved();
    agent.disk.generation = 0;

    TestTunnel tunnel = agent.connect();

    tunnel.pending();
    assertThat(tunnel.expect(Approved.class).generation()).isEqualTo(1);
    tunnel.hangUp();
    assertThat(tunnel.channel().session()).isEmpty();
  }

  @Test
  void aRejectedAgentIsSentAway() {
    var agent = new TestAgent(broker, "press");
    TestTunnel tunnel = agent.enroll(broker.tokenFor("press"));
    tunnel.prove();
    tunnel.pending();

    assertThat(broker.reject("press")).isEqualTo(new Outcome.Done());

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.UNKNOWN_AGENT);
    assertThat(broker.approve("press", tunnel.fingerprint()))
        .isEqualTo(new Outcome.WrongState("rejected"));
  }

  @Test
  void aRejectedNameMayBeEnrolledAnew() {
    var first = new TestAgent(broker, "press");
    first.enroll(broker.tokenFor("press")).prove();
    broker.reject("press");

    TestAgent second = approved();

    assertThat(second.disk.generation).isEqualTo(2);
    assertThat(second.connect().serve().admission().generation()).isEqualTo(2);
  }

  @Test
  void approvalComparesTheFingerprintAsPeopleTypeIt() {
    var agent = new TestAgent(broker, "press");
    TestTunnel tunnel = agent.enroll(broker.tokenFor("press"));
    tunnel.prove();
    String fingerprint = tunnel.pending().fingerprint();
    String typed = " " + fingerprint.toLowerCase(java.util.Locale.ROOT).replace("-", "") + "\n";

    assertThat(broker.approve("press", "0000-0000")).isEqualTo(new Outcome.FingerprintMismatch());
    assertThat(broker.approve("press", "")).isEqualTo(new Outcome.FingerprintMismatch());
    assertThat(broker.approve("lathe", fingerprint)).isEqualTo(new Outcome.UnknownAgent());
    assertThat(broker.approve("press", typed)).isEqualTo(new Outcome.Done());
    tunnel.approvedGeneration();
    tunnel.hangUp();
  }

  @Test
  void aPendingEnrollmentIsGoneAfterADayAndItsNameIsFree() {
    var late = new TestAgent(broker, "press");
    TestTunnel tunnel = late.enroll(broker.tokenFor("press"));
    tunnel.prove();
    tunnel.pending();
    broker.pass(Duration.ofHours(24));

    broker.agents().decisions().expire();

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(late.connect().refusedWith()).isEqualTo(ErrorCode.UNKNOWN_AGENT);
    assertThat(approved().disk.generation).isEqualTo(1);
  }

  @Test
  void aDecisionOfAnotherNodeIsFoundByLookingItUp() {
    var agent = new TestAgent(broker, "press");
    TestTunnel tunnel = agent.enroll(broker.tokenFor("press"));
    tunnel.prove();
    String fingerprint = tunnel.pending().fingerprint();
    Agents other = broker.anotherNode();

    assertThat(other.operations().approve("press", fingerprint, TestBroker.ADMIN))
        .isEqualTo(new Outcome.Done());
    broker.agents().decisions().lookUp();

    assertThat(tunnel.approvedGeneration()).isEqualTo(1);
    tunnel.hangUp();
  }

  @Test
  void aStrangerWithAKnownNameIsUnknown() {
    approved();
    var stranger = new TestAgent(broker, "press");

    assertThat(stranger.connect().refusedWith()).isEqualTo(ErrorCode.UNKNOWN_AGENT);
    assertThat(broker.refusalReasons()).containsExactly("unknown-dev-key");
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void anIdentityThatCannotSignIsRefusedWithAnAlarm() {
    TestAgent agent = approved();

    TestTunnel tunnel = agent.connect();
    tunnel.welcome();
    tunnel.channel().play(new Ready(new byte[64]));

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.UNKNOWN_AGENT);
    assertThat(tunnel.channel().session()).isEmpty();
    assertThat(broker.alarmKinds()).containsExactly("identity-mismatch");
  }

  @Test
  void aSignatureOfAnotherSessionDoesNotCount() {
    TestAgent agent = approved();
    TestTunnel other = agent.connect();
    Welcome welcome = other.welcome();
    other.hangUp();

    TestTunnel tunnel = agent.connect();
    tunnel.welcome();
    tunnel.ready(welcome);

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.UNKNOWN_AGENT);
  }

  @Test
  void noReadyInTimeEndsTheTunnelAndIsAudited() {
    TestAgent agent = approved();
    TestTunnel tunnel = agent.connect();
    tunnel.welcome();

    tunnel.hangUp();

    assertThat(tunnel.refusal()).isPresent();
    assertThat(broker.refusalReasons()).containsExactly("no-ready");
  }

  @Test
  void theNetworksOfTheTokenHoldForConnectionsToo() {
    var agent = new TestAgent(broker, "press");
    agent.address = InetAddress.ofLiteral("10.1.2.3");
    agent.approved(
        broker.token(Optional.of("press"), Optional.empty(), List.of("10.0.0.0/8"), false));
    agent.address = InetAddress.ofLiteral("192.0.2.1");

    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.UNAVAILABLE);
    agent.address = InetAddress.ofLiteral("10.200.0.1");
    assertThat(agent.connect().serve().isOpen()).isTrue();
  }

  @Test
  void aRevokedAgentLosesItsSessionGetsTheNoticeAndCannotComeBack() {
    TestAgent agent = approved();
    TestTunnel tunnel = agent.connect();
    FakeSession session = tunnel.serve();

    assertThat(broker.revoke("press")).isEqualTo(new Outcome.Done());

    assertThat(session.closedWith()).contains(ErrorCode.REVOKED);
    Revoked notice = tunnel.expect(Revoked.class);
    assertThat(Revocation.verify(notice.revocation(), broker.keys().keyset(), "press").agent())
        .isEqualTo("press");
    TestTunnel back = agent.connect();
    assertThat(back.refusedWith()).isEqualTo(ErrorCode.REVOKED);
    back.expect(Revoked.class);
    assertThat(broker.revoke("press")).isEqualTo(new Outcome.WrongState("revoked"));
  }

  @Test
  void aRevocationDeletesTheBundlesAndTheNameIsNeverEnrolledAgain() {
    approved().connect().serve();
    broker.revoke("press");

    var again = new TestAgent(broker, "press");
    TestTunnel tunnel =
        again.enroll(broker.token(Optional.of("press"), Optional.empty(), List.of(), true));

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).contains("name-revoked");
    broker
        .database()
        .run(
            tx ->
                assertThat(
                        new io.penstock.broker.store.IdentityTable()
                            .generations(tx, "press")
                            .get()
                            .getFirst()
                            .custody()
                            .current()
                            .wrappedBundle())
                    .isEmpty());
  }

  @Test
  void aRevocationCutInTwoByAKillIsFinishedAtTheNextStart() {
    TestAgent agent = approved();
    broker.dieAtFailpoint = true;
    assertThatThrownBy(() -> broker.revoke("press")).hasMessageContaining("the broker dies here");
    assertThat(broker.passed).contains("revoke-after-commit");
    // Cut in two: the database has it, the keystore does not.
    assertThat(broker.operations().find("press").orElseThrow().state()).isEqualTo("revoked");
    assertThat(broker.keys().revocations().isRevoked("press")).isFalse();
    broker.dieAtFailpoint = false;

    broker.restart();

    assertThat(broker.keys().revocations().isRevoked("press")).isTrue();
    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.REVOKED);
    assertThat(broker.revoke("press")).isEqualTo(new Outcome.WrongState("revoked"));
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void aReEnrollmentWaitsBesideTheOldGenerationAndItsApprovalEndsIt() {
    TestAgent old = approved();
    FakeSession session = old.connect().serve();
    var fresh = new TestAgent(broker, "press");
    TestTunnel tunnel =
        fresh.enroll(broker.token(Optional.of("press"), Optional.of("hall"), List.of(), true));
    tunnel.prove();
    tunnel.pending();
    assertThat(session.isOpen()).isTrue();

    broker.approve("press", tunnel.fingerprint());

    fresh.disk.generation = tunnel.approvedGeneration();
    tunnel.hangUp();
    assertThat(fresh.disk.generation).isEqualTo(2);
    assertThat(session.closedWith()).contains(ErrorCode.REPLACED);
    assertThat(old.connect().refusedWith()).isEqualTo(ErrorCode.UNKNOWN_AGENT);
    assertThat(fresh.connect().serve().admission().site()).isEqualTo("hall");
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void aRejectedReEnrollmentLeavesTheOldGenerationAlone() {
    TestAgent old = approved();
    var fresh = new TestAgent(broker, "press");
    TestTunnel tunnel =
        fresh.enroll(broker.token(Optional.of("press"), Optional.empty(), List.of(), true));
    tunnel.prove();
    tunnel.pending();

    broker.reject("press");

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(old.connect().serve().isOpen()).isTrue();
  }

  @Test
  void anAdmissionThatCannotBeAuditedIsUnavailableAndOthersGoOn() {
    TestAgent agent = approved();
    FakeSession running = agent.connect().serve();
    broker.tamper("alter table audit_log rename to audit_log_gone");

    TestTunnel tunnel = agent.connect();
    tunnel.ready(tunnel.welcome());

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(tunnel.refusal().orElseThrow().retryAfterMs()).isPositive();
    assertThat(running.isOpen()).isTrue();
    broker.tamper("alter table audit_log_gone rename to audit_log");
  }

  @Test
  void aSlotThatCannotBeIsRefused() {
    TestAgent agent = approved();

    assertThat(agent.connect(-1).refusedWith()).isEqualTo(ErrorCode.PROTOCOL_ERROR);
    assertThat(agent.connect(1000).refusedWith()).isEqualTo(ErrorCode.PROTOCOL_ERROR);
  }

  @Test
  void theDevKeyOfTheHandshakeCountsNotTheNameAlone() {
    TestAgent agent = approved();

    assertThat(agent.connect(StaticKeyPair.generate(), 0).refusedWith())
        .isEqualTo(ErrorCode.UNKNOWN_AGENT);
  }
}
