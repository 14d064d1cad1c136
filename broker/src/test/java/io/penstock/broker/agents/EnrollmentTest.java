package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.ReceiptRow;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.broker.store.ReceiptTable.Document;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemTable.Content;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.SystemVersion.State;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.ControlMessage.ProofAnswer;
import io.penstock.codec.message.ControlMessage.ProofChallenge;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnrollmentTest {
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

  @Test
  void aTokenMakesAPendingAgentWithTheTranscriptsFingerprint() {
    EnrollmentToken token =
        broker.token(Optional.of("press"), Optional.of("hall"), List.of(), false);
    var agent = new TestAgent(broker, "ignored");

    TestTunnel tunnel = agent.enroll(token);
    tunnel.prove();
    Pending pending = tunnel.pending();

    assertThat(pending).isEqualTo(new Pending("press", "hall", tunnel.fingerprint()));
    assertThat(pending.fingerprint()).matches("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}");
    assertThat(broker.tokenRow(token).use().orElseThrow().agent()).isEqualTo("press");
    assertThat(broker.audit()).extracting("eventType").containsExactly("gateway.enroll");
    tunnel.hangUp();
  }

  @Test
  void anAgentWithoutASiteIsItsOwn() {
    TestTunnel tunnel = new TestAgent(broker, "press").enroll(broker.tokenFor("press"));
    tunnel.prove();

    assertThat(tunnel.pending().site()).isEqualTo("press");
    tunnel.hangUp();
  }

  @Test
  void aTokenOfASiteTakesTheNameTheAgentWants() {
    EnrollmentToken token = broker.token(Optional.empty(), Optional.of("hall"), List.of(), false);

    TestTunnel tunnel = new TestAgent(broker, "press").enroll(token);
    tunnel.prove();

    assertThat(tunnel.pending().agent()).isEqualTo("press");
    tunnel.hangUp();
  }

  @Test
  void refusesANameThatCannotBeOne() {
    EnrollmentToken token = broker.token(Optional.empty(), Optional.of("hall"), List.of(), false);

    TestTunnel tunnel = new TestAgent(broker, "../press").enroll(token);

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("bad-name");
    assertThat(broker.tokenRow(token).use()).isEmpty();
  }

  @Test
  void aWrongSecretIsRefusedAndLeavesTheTokenUsable() {
    EnrollmentToken token = broker.tokenFor("press");

    TestTunnel wrong = new TestAgent(broker, "press").enroll(token, new byte[32]);

    assertThat(wrong.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.tokenRow(token).lastRefusal().orElseThrow().reason())
        .isEqualTo("wrong-secret");
    assertThat(broker.alarmKinds()).containsExactly("token-secret-wrong");
    TestTunnel right = new TestAgent(broker, "press").enroll(token);
    right.prove();
    assertThat(right.pending().agent()).isEqualTo("press");
    right.hangUp();
  }

  @Test
  void afterFiveWrongSecretsASourceGetsNothingForAWhileAndOthersStillDo() {
    EnrollmentToken token = broker.tokenFor("press");
    var guesser = new TestAgent(broker, "press");
    IntStream.range(0, 7).forEach(_ -> guesser.enroll(token, new byte[32]).refusedWith());

    assertThat(guesser.enroll(token).refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).hasSize(5).containsOnly("wrong-secret");

    var other = new TestAgent(broker, "press");
    other.address = InetAddress.ofLiteral("198.51.100.5");
    TestTunnel tunnel = other.enroll(token);
    tunnel.prove();
    assertThat(tunnel.pending().agent()).isEqualTo("press");
    tunnel.hangUp();
  }

  @Test
  void anUnknownTokenLooksLikeAWrongSecret() {
    EnrollmentToken token = broker.tokenFor("press");
    var unknown =
        new EnrollmentToken(
            io.penstock.codec.seal.Octets.of(TestAgent.random(16)),
            token.secret(),
            token.rootSha256(),
            token.expiresAt(),
            token.brokerUrl(),
            Optional.empty());

    TestTunnel tunnel = new TestAgent(broker, "press").enroll(unknown);

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("unknown-token");
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void anExpiredTokenIsRefused() {
    EnrollmentToken token = broker.tokenFor("press");
    broker.pass(Duration.ofHours(1));

    TestTunnel tunnel = new TestAgent(broker, "press").enroll(token);

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("token-expired");
  }

  @Test
  void aTokenHoldsOnlyInItsNetworks() {
    EnrollmentToken token =
        broker.token(Optional.of("press"), Optional.empty(), List.of("10.0.0.0/8"), false);
    var outside = new TestAgent(broker, "press");
    var inside = new TestAgent(broker, "press");
    inside.address = InetAddress.ofLiteral("10.1.2.3");

    assertThat(outside.enroll(token).refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    TestTunnel tunnel = inside.enroll(token);
    tunnel.prove();

    assertThat(tunnel.pending().agent()).isEqualTo("press");
    assertThat(broker.refusalReasons()).containsExactly("wrong-network");
    tunnel.hangUp();
  }

  @Test
  void anotherDevKeyOnAUsedTokenIsRefusedWithAnAlarm() {
    EnrollmentToken token = broker.tokenFor("press");
    TestTunnel first = new TestAgent(broker, "press").enroll(token);
    first.prove();
    first.pending();

    TestTunnel second = new TestAgent(broker, "press").enroll(token);

    assertThat(second.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("token-reused");
    assertThat(broker.alarmKinds()).containsExactly("token-reused");
    first.hangUp();
  }

  @Test
  void anAgentKilledAfterMessageThreeComesAgainWithTheSameTokenAndNoAlarm() {
    EnrollmentToken token = broker.tokenFor("press");
    var agent = new TestAgent(broker, "press");
    TestTunnel lost = agent.enroll(token);
    lost.expect(ProofChallenge.class);
    lost.hangUp();
    agent.restart();
    agent.sealing = io.penstock.codec.seal.Hpke.generate(new java.security.SecureRandom());
    agent.signing = io.penstock.codec.seal.SigningKey.generate(new java.security.SecureRandom());

    TestTunnel again = agent.enroll(token);
    again.prove();
    Pending pending = again.pending();

    assertThat(pending.fingerprint()).isEqualTo(again.fingerprint());
    assertThat(broker.alarms()).isEmpty();
    assertThat(broker.approve("press", again.fingerprint())).isEqualTo(new Outcome.Done());
    again.approvedGeneration();
    again.hangUp();
    assertThat(agent.connect().serve().admission().agent()).isEqualTo("press");
  }

  @Test
  void whatWaitsForTheOldBoxIsDroppedWhenANewOneIsApprovedInItsName() {
    new TestAgent(broker, "press").approved();
    var messages = new MessageTable(broker.keys().rowMac());
    broker
        .database()
        .run(
            tx ->
                messages.insert(
                    tx,
                    new MessageTable.MessageKey("press", messages.next(tx, "press")),
                    1,
                    MessageTable.Content.instruction("i-1", "wipe", Optional.empty()),
                    "admin@example.org",
                    Instant.now(),
                    Optional.empty()));
    var newBox = new TestAgent(broker, "press");
    TestTunnel enrolling =
        newBox.enroll(broker.token(Optional.of("press"), Optional.empty(), List.of(), true));
    enrolling.prove();
    enrolling.pending();

    assertThat(broker.approve("press", enrolling.fingerprint())).isEqualTo(new Outcome.Done());

    long waiting = broker.database().transaction(tx -> messages.count(tx, "press"));
    assertThat(waiting).isZero();
    assertThat(broker.audit())
        .filteredOn(entry -> entry.eventType().equals("gateway.message-superseded"))
        .singleElement()
        .satisfies(
            entry -> {
              assertThat(entry.reason()).contains("for generation 1 of the agent, which is now 2");
              assertThat(entry.changes()).containsEntry("kind", "wipe").containsEntry("id", "i-1");
            });
  }

  @Test
  void whatWasOnItsWayToTheOldBoxIsSupersededWithItsMessage() {
    new TestAgent(broker, "press").approved();
    deploy("erp");
    deploy("mes");
    applied("mes");
    deploy("crm");
    broker.tamper("update system_versions set author = 'somebody else' where system = 'crm'");
    TestTunnel enrolling =
        new TestAgent(broker, "press")
            .enroll(broker.token(Optional.of("press"), Optional.empty(), List.of(), true));
    enrolling.prove();
    enrolling.pending();

    assertThat(broker.approve("press", enrolling.fingerprint())).isEqualTo(new Outcome.Done());

    assertThat(state("erp")).isEqualTo(State.SUPERSEDED);
    assertThat(state("mes")).as("its receipt is there").isEqualTo(State.BUFFERED);
    assertThatThrownBy(() -> state("crm")).isInstanceOf(TamperedRowException.class);
  }

  /// Version 1 of a system, and its message.
  private void deploy(String system) {
    Instant now = broker.clock().instant();
    Octets hash = Octets.sha256(new byte[] {1});
    var row = SystemRow.first("press", system, "http", "eng", now).deployed(1, 1, "eng", now);
    var version =
        new SystemVersion(
            "press",
            system,
            1,
            1,
            "http",
            State.BUFFERED,
            "header",
            hash,
            Optional.empty(),
            Optional.empty(),
            List.of(),
            "eng",
            now,
            1);
    var messages = new MessageTable(broker.keys().rowMac());
    var systems = new SystemTable(broker.keys().rowMac());
    broker
        .database()
        .run(
            tx -> {
              systems.insert(tx, row);
              systems.insert(tx, version, new Content(new byte[] {1}, Optional.empty()));
              messages.insert(
                  tx,
                  new MessageTable.MessageKey("press", messages.next(tx, "press")),
                  1,
                  MessageTable.Content.ofSystem(MessageTable.Kind.CONFIGURATION, system, 1),
                  "eng",
                  now,
                  Optional.empty());
            });
  }

  private void applied(String system) {
    Document document = Document.of("press", "signed");
    var row =
        new ReceiptRow(
            "press",
            system,
            1,
            "applied",
            Optional.empty(),
            Optional.empty(),
            document.sha256(),
            broker.clock().instant().truncatedTo(ChronoUnit.MILLIS));
    broker
        .database()
        .run(
            tx ->
                new ReceiptTable(broker.keys().rowMac()).put(tx, List.of(row), List.of(document)));
  }

  private State state(String system) {
    return broker
        .database()
        .transaction(tx -> new SystemTable(broker.keys().rowMac()).version(tx, "press", system, 1))
        .orElseThrow()
        .state();
  }

  @Test
  void aBrokerKilledBetweenCommitAndAnswerTakesTheSameTokenAgainWithoutAlarm() {
    EnrollmentToken token = broker.tokenFor("press");
    var agent = new TestAgent(broker, "press");
    broker.dieAtFailpoint = true;
    TestTunnel unanswered = agent.enroll(token);
    assertThatThrownBy(unanswered::refusal).hasMessageContaining("the broker dies here");
    assertThat(broker.passed).containsExactly("enroll-after-commit");
    assertThat(broker.tokenRow(token).use()).isPresent();
    broker.dieAtFailpoint = false;
    broker.restart();

    TestTunnel again = agent.enroll(token);
    again.prove();

    assertThat(again.pending().agent()).isEqualTo("press");
    assertThat(broker.alarms()).isEmpty();
    again.hangUp();
  }

  @Test
  void ofFiftyAgentsRacingForOneTokenOneIsPendingAndTheOthersMakeOneAlarm() throws Exception {
    EnrollmentToken token = broker.tokenFor("press");
    var start = new CountDownLatch(1);
    List<Callable<TestTunnel>> racers =
        IntStream.range(0, 50)
            .<Callable<TestTunnel>>mapToObj(
                _ ->
                    () -> {
                      start.await();
                      return new TestAgent(broker, "press").enroll(token);
                    })
            .toList();

    List<TestTunnel> pending = new java.util.ArrayList<>();
    int refused = 0;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<TestTunnel>> running = racers.stream().map(threads::submit).toList();
      start.countDown();
      for (Future<TestTunnel> racer : running) {
        TestTunnel tunnel = racer.get();
        if (tunnel.isProofAsked()) {
          pending.add(tunnel);
        } else {
          assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
          refused++;
        }
      }
    }

    assertThat(pending).hasSize(1);
    assertThat(refused).isEqualTo(49);
    assertThat(broker.alarmKinds()).containsExactly("token-reused");
    assertThat(broker.audit().stream().filter(e -> e.eventType().equals("gateway.enroll")))
        .hasSize(1);
    pending.forEach(TestTunnel::hangUp);
  }

  @Test
  void keysThatTheirOwnerDidNotSignAreRefused() {
    EnrollmentToken token = broker.tokenFor("press");
    var agent = new TestAgent(broker, "press");
    agent.signature = Optional.of(new byte[64]);

    assertThat(agent.enroll(token).refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("bad-signature");
    assertThat(broker.tokenRow(token).use()).isEmpty();
  }

  @Test
  void whoCannotOpenTheProofIsRefusedAndCannotBeApproved() {
    var agent = new TestAgent(broker, "press");
    TestTunnel tunnel = agent.enroll(broker.tokenFor("press"));
    tunnel.expect(ProofChallenge.class);

    tunnel.channel().play(new ProofAnswer(new byte[32]));

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("proof-failed");
    assertThat(broker.approve("press", tunnel.fingerprint())).isEqualTo(new Outcome.ProofMissing());
  }

  @Test
  void anExistingNameNeedsATokenThatSaysReenroll() {
    new TestAgent(broker, "press").approved();

    TestTunnel tunnel = new TestAgent(broker, "press").enroll(broker.tokenFor("press"));

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("name-taken");
  }

  @Test
  void aDevKeyCannotBeEnrolledUnderASecondName() {
    var agent = new TestAgent(broker, "press").approved();
    EnrollmentToken token = broker.tokenFor("lathe");

    assertThat(agent.enroll(token).refusedWith()).isEqualTo(ErrorCode.ENROLL_DENIED);
    assertThat(broker.refusalReasons()).containsExactly("key-already-known");
  }

  @Test
  void anEnrollmentThatCannotBeAuditedDoesNotHappenAndIsNotDeniedForGood() {
    EnrollmentToken token = broker.tokenFor("press");
    broker.tamper("alter table audit_log rename to audit_log_gone");

    TestTunnel tunnel = new TestAgent(broker, "press").enroll(token);

    assertThat(tunnel.refusedWith()).isEqualTo(ErrorCode.UNAVAILABLE);
    assertThat(tunnel.refusal().orElseThrow().retryAfterMs()).isPositive();
    assertThat(broker.tokenRow(token).use()).isEmpty();
    broker.tamper("alter table audit_log_gone rename to audit_log");
    TestTunnel again = new TestAgent(broker, "press").enroll(token);
    again.prove();
    assertThat(again.pending().agent()).isEqualTo("press");
    again.hangUp();
  }
}
