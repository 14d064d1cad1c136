package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.keys.ManagedKey;
import io.penstock.broker.store.IdentityTable;
import io.penstock.codec.message.ControlMessage.Admitted;
import io.penstock.codec.message.ControlMessage.OwnerKeys;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.NodeCertificate;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentKeyUpkeepTest {
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

  private void rotate(ManagedKey use) {
    broker.keys().announce(Set.of(use));
    broker.agents().keyUpkeep().show();
    broker.keys().activate();
    broker.agents().keyUpkeep().show();
  }

  /// When the news is old: what a new handshake shows is all that there is.
  private void requireAdmitted(TestAgent agent) {
    broker.pass(Duration.ofMinutes(2));
    TestTunnel tunnel = agent.connect();
    tunnel.ready(tunnel.welcome());
    tunnel.expect(Admitted.class);
    tunnel.hangUp();
  }

  private List<String> needs(ManagedKey use, String kid) {
    return broker
        .database()
        .transaction(
            tx ->
                use == ManagedKey.KEK
                    ? broker.agents().keyUpkeep().needsOfOlderKek(tx)
                    : broker.agents().keyUpkeep().needsOfRecordKey(tx, kid));
  }

  private String recordOf(String agent) {
    return broker
        .database()
        .transaction(tx -> new IdentityTable().generations(tx, agent).get().getFirst())
        .approval()
        .orElseThrow()
        .recordJws();
  }

  @Test
  void recordsAndTheRevocationListAreSignedByTheNewRecordKey() {
    TestAgent press = new TestAgent(broker, "press").approved();
    new TestAgent(broker, "mill").approved();
    broker.revoke("mill");
    String old = broker.keys().signingKid(ManagedKey.RECORD);
    rotate(ManagedKey.RECORD);
    assertThat(needs(ManagedKey.RECORD, old))
        .containsExactly("1 agent records", "the revocation list");

    broker.agents().keyUpkeep().renew();
    assertThat(needs(ManagedKey.RECORD, old)).isEmpty();
    broker.keys().retire(old);

    assertThat(AgentRecord.verify(recordOf("press"), broker.keys().keyset()).agent())
        .isEqualTo("press");
    requireAdmitted(press);
    broker.restart();
    assertThat(broker.keys().revocations().isRevoked("mill")).isTrue();
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void aKekRotationThatIsKilledInTheMiddleGoesOnAfterARestart() {
    TestAgent press = new TestAgent(broker, "press").approved();
    TestAgent mill = new TestAgent(broker, "mill").approved();
    String old = broker.keys().signingKid(ManagedKey.KEK);
    broker.keys().replace(ManagedKey.KEK);
    assertThat(needs(ManagedKey.KEK, old)).containsExactly("identity bundles of 2 enrollments");

    broker.dieAtFailpoint = true;
    assertThatThrownBy(() -> broker.agents().keyUpkeep().renew())
        .hasMessage("the broker dies here");
    broker.dieAtFailpoint = false;
    assertThat(broker.passed).contains(Failpoint.KEK_AFTER_AGENT);
    broker.restart();

    assertThat(needs(ManagedKey.KEK, old)).containsExactly("identity bundles of 1 enrollments");
    requireAdmitted(press);
    requireAdmitted(mill);
    broker.agents().keyUpkeep().renew();
    assertThat(needs(ManagedKey.KEK, old)).isEmpty();
    broker.keys().retire(old);
    requireAdmitted(press);
    requireAdmitted(mill);
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void aBundleThatSomebodyChangedIsReportedAndNotWrappedAnew() {
    new TestAgent(broker, "press").approved();
    new TestAgent(broker, "mill").approved();
    broker.tamper(
        "update agent_generations set bundle_current ="
            + " set_byte(bundle_current, 40, 255 - get_byte(bundle_current, 40))"
            + " where agent = 'mill'");
    broker.keys().replace(ManagedKey.KEK);

    broker.agents().keyUpkeep().renew();

    assertThat(needs(ManagedKey.KEK, "")).containsExactly("identity bundles of 1 enrollments");
    assertThat(broker.alarms()).hasSize(1);
  }

  @Test
  void aTokenFromBeforeTheEnrollRootChangedStillEnrolls() {
    EnrollmentToken before = broker.tokenFor("press");
    broker.keys().replaceEnrollRoot();
    broker.keys().rotateRoot();
    EnrollmentToken after = broker.tokenFor("mill");

    TestAgent press = new TestAgent(broker, "press").approved(before);
    TestAgent mill = new TestAgent(broker, "mill").approved(after);

    requireAdmitted(press);
    requireAdmitted(mill);
  }

  @Test
  void aTunnelThatMayHaveMissedTheNewsHearsItBeforeItIsAdmitted() {
    TestAgent press = new TestAgent(broker, "press").approved();
    rotate(ManagedKey.CONFIGURATION);

    TestTunnel tunnel = press.connect();
    tunnel.ready(tunnel.welcome());

    assertThat(tunnel.expect(OwnerKeys.class).keyset()).isEqualTo(broker.keys().keysetJws());
    tunnel.expect(Admitted.class);
    tunnel.hangUp();
  }

  @Test
  void handshakesShowTheNewKeysAtOnce() {
    rotate(ManagedKey.NODE_ISSUER);
    broker.keys().rotateRoot();
    broker.agents().keyUpkeep().show();

    var node = broker.authority().node();

    assertThat(node.keyset()).isEqualTo(broker.keys().keysetJws());
    assertThat(node.crossSignatures()).hasSize(1);
    Instant now = broker.clock().instant();
    assertThat(
            NodeCertificate.verify(
                    node.certificate(),
                    broker.keys().keyset(),
                    node.staticKey().publicKey().bytes(),
                    now)
                .node())
        .isEqualTo("node-1");
  }
}
