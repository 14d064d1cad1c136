package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.store.AuditTable;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.IdentityNext;
import io.penstock.codec.message.ControlMessage.IdentityStored;
import io.penstock.codec.message.ControlMessage.Welcome;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SignedTexts;
import io.penstock.codec.seal.SigningKey;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentityRotationTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  @TempDir Path directory;
  private TestBroker broker;
  private TestAgent agent;
  private FakeSession session;
  private TestTunnel tunnel;

  private final SealingKey nextSealing = Hpke.generate(RANDOM);
  private final SigningKey nextSigning = SigningKey.generate(RANDOM);
  private final byte[] nextBundle = TestAgent.random(400);

  @BeforeEach
  void start() {
    broker = new TestBroker(directory.resolve("data"));
    agent = new TestAgent(broker, "press").approved();
    tunnel = agent.connect();
    session = tunnel.serve();
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private IdentityNext request(SigningKey by, SigningKey bySuccessor) {
    return request(by, bySuccessor, nextSealing.publicKey().bytes());
  }

  private IdentityNext request(SigningKey by, SigningKey bySuccessor, byte[] sealing) {
    byte[] signing = nextSigning.verifyingKey().octets().bytes();
    byte[] text =
        SignedTexts.identityNext(
            session.admission().handshakeHash().bytes(), sealing, signing, nextBundle);
    return new IdentityNext(
        agent.disk.unlockEpoch,
        sealing,
        signing,
        nextBundle,
        by.sign(text),
        bySuccessor.sign(text));
  }

  private IdentityStored ask(IdentityNext request) {
    broker.authority().identityNext(session, request);
    return tunnel.expect(IdentityStored.class);
  }

  private AgentRecord signedRecord() {
    var approved =
        (ApprovedAgents.Found.Approved)
            broker.database().transaction(tx -> broker.agents().approved().find(tx, agent.name));
    return AgentRecord.verify(approved.jws(), broker.keys().keyset());
  }

  @Test
  void theNextWelcomeBringsTheNewBundleAndTheRecordNamesTheNewKeys() {
    AgentRecord before = signedRecord();

    assertThat(ask(request(agent.signing, nextSigning)).refusal()).isNull();

    AgentRecord after = signedRecord();
    assertThat(after.sealingPublic()).isEqualTo(nextSealing.publicKey());
    assertThat(after.signingPublic()).isEqualTo(nextSigning.verifyingKey());
    assertThat(after.withKeys(before.sealingPublic(), before.signingPublic())).isEqualTo(before);
    agent.signing = nextSigning;
    TestTunnel again = agent.connect();
    Welcome welcome = again.welcome();
    assertThat(welcome.innerBundle()).isEqualTo(nextBundle);
    again.ready(welcome);
    assertThat(again.refusal()).isEmpty();
    assertThat(broker.alarms()).isEmpty();
    assertThat(broker.audit())
        .extracting(AuditTable.Entry::eventType)
        .contains("gateway.rotate-identity");
  }

  @Test
  void tunnelsThatStandAreDrainedAndKeepTheirKey() {
    FakeSession second = agent.connect(1).serve();

    ask(request(agent.signing, nextSigning));

    assertThat(session.draining()).isTrue();
    assertThat(second.draining()).isTrue();
    assertThat(session.isOpen()).isTrue();
    assertThat(second.admission().signingKey()).isEqualTo(agent.signing.verifyingKey());
  }

  @Test
  void theOldKeysOpenNoTunnelAnyMore() {
    ask(request(agent.signing, nextSigning));

    TestTunnel withOldKeys = agent.connect(1);
    withOldKeys.ready(withOldKeys.welcome());

    assertThat(withOldKeys.refusedWith()).isEqualTo(ErrorCode.UNKNOWN_AGENT);
    assertThat(broker.alarmKinds()).containsExactly("identity-mismatch");
  }

  @Test
  void keysThatTheOldOnesDidNotSignAreRefusedWithAnAlarm() {
    SigningKey foreign = SigningKey.generate(RANDOM);

    assertThat(ask(request(foreign, nextSigning)).refusal()).contains("signatures");

    assertThat(signedRecord().signingPublic()).isEqualTo(agent.signing.verifyingKey());
    assertThat(broker.alarmKinds()).containsExactly("identity-mismatch");
    assertThat(session.draining()).isFalse();
  }

  @Test
  void aSigningKeyThatItsOwnerDoesNotHoldIsRefused() {
    SigningKey foreign = SigningKey.generate(RANDOM);

    assertThat(ask(request(agent.signing, foreign)).refusal()).contains("signatures");

    assertThat(signedRecord().sealingPublic()).isEqualTo(agent.sealing.publicKey());
  }

  @Test
  void aRequestOfAnotherSessionDoesNotHold() {
    IdentityNext first = request(agent.signing, nextSigning);
    session = agent.connect(1).serve();

    broker.authority().identityNext(session, first);

    assertThat(signedRecord().signingPublic()).isEqualTo(agent.signing.verifyingKey());
  }

  @Test
  void aSealingKeyOfAnotherLengthIsRefused() {
    IdentityStored answer = ask(request(agent.signing, nextSigning, new byte[100]));

    assertThat(answer.refusal()).contains("X-Wing");
  }

  @Test
  void aSessionThatWasOvertakenChangesNothing() {
    agent.connect(0).serve();

    assertThat(ask(request(agent.signing, nextSigning)).refusal()).contains("another session");

    assertThat(signedRecord().signingPublic()).isEqualTo(agent.signing.verifyingKey());
  }

  @Test
  void aWelcomeFromBeforeTheReplacementAdmitsNobody() {
    TestTunnel slow = agent.connect(1);
    Welcome ofOldKeys = slow.welcome();
    ask(request(agent.signing, nextSigning));

    slow.ready(ofOldKeys);

    // Else its rotation of the unlock secret would bring the old bundle back.
    assertThat(slow.refusedWith()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void theSecondTimeTheNewKeysHandOn() {
    ask(request(agent.signing, nextSigning));

    // The session still has the first key, which is not in force any more.
    assertThat(ask(request(agent.signing, nextSigning)).refusal()).contains("another session");

    assertThat(signedRecord().sealingPublic()).isEqualTo(nextSealing.publicKey());
  }
}
