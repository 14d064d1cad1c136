package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.EnrollmentToken;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Somebody writes to the database who has no keystore.
class TamperingTest {
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

  private TestTunnel pending(TestAgent agent) {
    TestTunnel tunnel = agent.enroll(broker.tokenFor("press"));
    tunnel.prove();
    tunnel.pending();
    tunnel.hangUp();
    return tunnel;
  }

  private static String hex(byte[] bytes) {
    return "'\\x" + HexFormat.of().formatHex(bytes) + "'";
  }

  @Test
  void aStatusColumnFlippedToApprovedLetsNobodyIn() {
    var agent = new TestAgent(broker, "press");
    pending(agent);

    broker.tamper("update agents set state = 'approved', generation = 1");
    broker.tamper("update agent_generations set state = 'approved'");

    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(broker.alarmKinds()).containsExactly("database-tampered");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "update agent_generations set signing_public = sha256('attacker')",
        "update agent_generations set sealing_public = sealing_public || '\\x00'",
        "update agent_generations set fingerprint = 'AAAA-AAAA'",
        "update agent_generations set allowed_cidrs = '{0.0.0.0/0}'",
        "update agent_generations set site = 'headquarters'",
        "update agent_generations set unlock_epoch = 9",
        "update agent_generations set bundle_current = bundle_current || '\\x00'",
        "update agents set site = 'headquarters'",
        "update agents set generation = 2"
      })
  void aChangedRowOfAnApprovedAgentIsNotBelieved(String change) {
    TestAgent agent = new TestAgent(broker, "press").approved();

    broker.tamper(change);

    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(broker.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void aChangedRowStandsInTheTrailOnceUntilSomebodyActs() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    broker.tamper("update agents set site = 'headquarters'");

    for (int round = 0; round < 3; round++) {
      assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    }

    assertThat(tamperings()).isEqualTo(1);
    assertThat(broker.alarms().getFirst().occurrences()).isEqualTo(3);

    broker.tamper("update alarms set acknowledged_at = now(), acknowledged_by = 'admin'");
    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(tamperings()).as("after somebody took the alarm for dealt with").isEqualTo(2);
  }

  private long tamperings() {
    return broker.audit().stream()
        .filter(entry -> entry.eventType().equals("gateway.tampered"))
        .count();
  }

  @Test
  void aDevKeySwappedForTheAttackersOpensNothing() {
    new TestAgent(broker, "press").approved();
    var attacker = new TestAgent(broker, "press");

    broker.tamper(
        "update agent_generations set dev_current = "
            + hex(attacker.disk.current.publicKey().bytes()));

    TestTunnel tunnel = attacker.connect();
    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(tunnel.channel().sentAlready()).as("no bundle").isEmpty();
    assertThat(broker.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void aQuarantineLiftedInTheDatabaseHolds() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    agent.connect().serve();
    agent.cloneOfDisk().connect().refusal();

    broker.tamper("update agents set state = 'approved', quarantined_reason = null");

    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(broker.alarmKinds()).contains("database-tampered");
  }

  @Test
  void keysSwappedWhileAnAgentIsPendingAreNotApproved() {
    var agent = new TestAgent(broker, "press");
    TestTunnel tunnel = pending(agent);

    broker.tamper("update agent_generations set signing_public = sha256('attacker')");

    assertThat(broker.approve("press", tunnel.fingerprint()))
        .isInstanceOf(Outcome.WrongState.class);
    assertThat(broker.alarmKinds()).containsExactly("database-tampered");
  }

  @Test
  void aTamperedAgentCanStillBeRevoked() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    broker.tamper("update agents set site = 'headquarters'");

    assertThat(broker.revoke("press")).isEqualTo(new Outcome.Done());
    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.REVOKED);
  }

  @Test
  void anOldRevocationListPutBackRevivesNobody() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    broker.tamper("create table kept as select * from agents");
    broker.tamper("create table kept_generations as select * from agent_generations");
    broker.revoke("press");

    broker.tamper("delete from revocation_lists");
    broker.tamper(
        "update agents set state = kept.state, revoked_at = null, mac = kept.mac from kept");
    broker.tamper(
        "update agent_generations g set state = k.state, bundle_current = k.bundle_current,"
            + " mac = k.mac from kept_generations k");
    broker.tamper("drop table kept");
    broker.tamper("drop table kept_generations");

    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.REVOKED);
    assertThat(broker.alarmKinds()).containsExactly("revocations-tampered");
    assertThat(agent.connect().refusedWith()).isEqualTo(ErrorCode.REVOKED);
    assertThat(broker.alarms().getFirst().occurrences()).isEqualTo(1);
  }

  @Test
  void anOldRowPutBackIsKnownByItsRetiredKey() {
    TestAgent agent = new TestAgent(broker, "press").approved();
    StaticKeyPair first = agent.disk.current;
    broker.tamper("create table kept_generations as select * from agent_generations");
    agent.connect().serve();
    broker.sessions.cutAll();

    broker.tamper(
        "update agent_generations g set dev_current = k.dev_current, bundle_current ="
            + " k.bundle_current, unlock_epoch = k.unlock_epoch, rotated_boot_id = null,"
            + " mac = k.mac from kept_generations k");
    broker.tamper("drop table kept_generations");

    assertThat(agent.connect(first, 0).refusedWith()).isEqualTo(ErrorCode.QUARANTINED);
    assertThat(broker.alarmKinds()).containsExactly("agent-cloned");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "update enrollment_tokens set expires_at = expires_at + interval '1 hour'",
        "update enrollment_tokens set agent = 'boss'",
        "update enrollment_tokens set site = 'headquarters'",
        "update enrollment_tokens set labels = '{}'",
        "update enrollment_tokens set allowed_cidrs = '{}'",
        "update enrollment_tokens set reenroll = true"
      })
  void aWidenedTokenNoLongerFitsItsSecret(String change) {
    EnrollmentToken token =
        broker.token(Optional.of("press"), Optional.of("hall"), List.of("198.51.100.0/24"), false);

    broker.tamper(change);

    assertThat(new TestAgent(broker, "press").enroll(token).refusedWith())
        .isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.alarmKinds()).containsExactly("token-secret-wrong");
  }

  @Test
  void aTokenMarkedUnusedAgainFindsItsNameTaken() {
    EnrollmentToken token = broker.tokenFor("press");
    new TestAgent(broker, "press").approved(token);

    broker.tamper(
        "update enrollment_tokens set used_at = null, used_by_agent = null, used_dev_key = null");

    assertThat(new TestAgent(broker, "press").enroll(token).refusedWith())
        .isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("name-taken");
  }
}
