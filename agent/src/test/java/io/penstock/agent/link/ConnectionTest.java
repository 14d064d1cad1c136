package io.penstock.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.link.AgentUnderTest.Start;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.mock.MockSession;
import io.penstock.agent.mock.TestCa;
import io.penstock.codec.AnswerHead;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.OpenHead;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.RequestIds;
import io.penstock.codec.StreamKind;
import io.penstock.codec.mux.MuxStream;
import io.penstock.codec.mux.StreamListener;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.SigningKey;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ConnectionTest {
  @TempDir private Path parent;
  private Path directory;
  private MockBroker broker;

  @BeforeEach
  void start() throws Exception {
    broker = new MockBroker(new TestCa("owner"));
    directory = parent.resolve("data");
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  /// Enrolled, approved, connected once, and gone again.
  private void enroll() throws Exception {
    broker.approve();
    try (var _ = new AgentUnderTest(Start.with(directory, broker.token()))) {
      broker.awaitAdmitted();
    }
  }

  private void copyIdentity(Path from, Path to) throws Exception {
    Files.createDirectories(to);
    Files.copy(
        from.resolve("identity"), to.resolve("identity"), StandardCopyOption.REPLACE_EXISTING);
  }

  /// What an open of the broker heard.
  private static CompletableFuture<String> open(
      MockSession session, StreamKind kind, String system) {
    var heard = new CompletableFuture<String>();
    session.eventLoop().execute(() -> openNow(session, kind, system, heard));
    return heard;
  }

  private static void openNow(
      MockSession session, StreamKind kind, String system, CompletableFuture<String> heard) {
    ByteBuf head = Unpooled.buffer();
    new OpenHead(
            kind,
            Deadlines.DEFAULT,
            new RequestIds(1, 2, 3, 4, 5, 0),
            AsciiString.of(system),
            AsciiString.of("test"))
        .write(head);
    var stream =
        session
            .core()
            .open(
                head,
                true,
                new StreamListener() {
                  @Override
                  public void onHead(ByteBuf answer, boolean end) {
                    try {
                      heard.complete("HEAD " + AnswerHead.read(answer).status());
                    } catch (ProtocolException broken) {
                      heard.completeExceptionally(broken);
                    }
                  }

                  @Override
                  public void onData(ByteBuf data, boolean end) {}

                  @Override
                  public void onReset(ErrorCode code, boolean untouched, String text) {
                    heard.complete("RESET " + code + (untouched ? " untouched" : ""));
                  }
                });
    if (stream.isEmpty()) {
      heard.complete("refused here");
    }
  }

  @Test
  void rotatesTheUnlockSecretOncePerProcess() throws Exception {
    enroll();
    assertThat(broker.unlockEpoch()).isEqualTo(1);

    try (var agent = new AgentUnderTest(Start.again(directory))) {
      broker.awaitAdmitted().cut();
      broker.awaitAdmitted();

      assertThat(broker.unlockEpoch()).isEqualTo(2);
      assertThat(agent.identity().unlockEpoch()).isEqualTo(2);
      assertThat(broker.log()).filteredOn(it -> it.startsWith("committed")).hasSize(2);
    }
    assertThat(broker.alarms()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "UNLOCK_BEFORE_NEXT_WRITTEN",
        "UNLOCK_AFTER_NEXT_WRITTEN",
        "UNLOCK_AFTER_NEXT_SENT",
        "UNLOCK_AFTER_STORED",
        "UNLOCK_AFTER_SWITCH",
        "UNLOCK_AFTER_COMMIT"
      })
  void logsInAgainWithoutAlarmAfterACrashInTheRotation(Failpoint crashAt) throws Exception {
    enroll();
    for (int i = 0; i < 2; i++) {
      try (var agent = new AgentUnderTest(Start.again(directory).crashingAt(crashAt))) {
        agent.awaitCrash();
      }
    }

    try (var _ = new AgentUnderTest(Start.again(directory))) {
      broker.awaitAdmitted();
    }
    try (var _ = new AgentUnderTest(Start.again(directory))) {
      broker.awaitAdmitted();
    }
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void raisesTheAlarmWhenACopyIsUsedAfterTheOriginal() throws Exception {
    enroll();
    Path copy = parent.resolve("copy");
    copyIdentity(directory, copy);
    try (var _ = new AgentUnderTest(Start.again(directory))) {
      broker.awaitAdmitted();
    }

    try (var thief = new AgentUnderTest(Start.again(copy))) {
      assertThat(thief.awaitSaid("failed")).contains("QUARANTINED");
    }
    assertThat(broker.alarms()).containsExactly("CLONE: a retired dev key");
  }

  @Test
  void comesBackForEverWhenTheConnectionBreaks() throws Exception {
    enroll();
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      for (int i = 0; i < 3; i++) {
        broker.awaitAdmitted().cut();
      }
      broker.awaitAdmitted();
      assertThat(agent.failures()).allMatch(it -> it.stage() == Stage.SESSION);
    }
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void waitsAsLongAsTheBrokerAsks() throws Exception {
    enroll();
    broker.refuseWith(ErrorCode.UNAVAILABLE, 1_500);
    long before = System.nanoTime();
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(agent.awaitSaid("failed")).contains("policy").contains("UNAVAILABLE");
      broker.refuseWith(null, 0);
      broker.awaitAdmitted();
    }
    assertThat(Duration.ofNanos(System.nanoTime() - before))
        .isGreaterThan(Duration.ofMillis(1_500));
  }

  @ParameterizedTest
  @EnumSource(
      value = ErrorCode.class,
      names = {"UNKNOWN_AGENT", "VERSION", "REVOKED"})
  void givesUpWhenRefusedForGoodAndKeepsItsIdentity(ErrorCode code) throws Exception {
    enroll();
    broker.refuseWith(code, 0);
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(agent.awaitSaid("refused")).startsWith("refused " + code + ":");
    }
    assertThat(directory.resolve("identity")).exists();
  }

  @Test
  void wipesItsDirectoryWhenRevoked() throws Exception {
    broker.approve();
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      broker.revoke(broker.awaitAdmitted());

      assertThat(agent.awaitSaid("refused")).startsWith("refused REVOKED wiped");
    }
    assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
  }

  @Test
  void wipesItsDirectoryWhenItWasRevokedWhileOffline() throws Exception {
    broker.approve();
    try (var _ = new AgentUnderTest(Start.with(directory, broker.token()))) {
      MockSession session = broker.awaitAdmitted();
      session.cut();
      broker.revoke(session);
    }
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(agent.awaitSaid("refused")).startsWith("refused REVOKED wiped");
    }
    assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
  }

  @Test
  void doesNotObeyAForgedRevocation() throws Exception {
    broker.approve();
    broker.forgeRevocation();
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      MockSession session = broker.awaitAdmitted();
      session.send(new io.penstock.codec.message.ControlMessage.Revoked("not.signed.atall"));

      assertThat(agent.awaitSaid("failed")).contains("expected a signed revocation");
      broker.awaitAdmitted();
    }
    assertThat(directory.resolve("identity")).exists();
  }

  @Test
  void refusesAnOlderKeyset() throws Exception {
    broker.keysetVersion(5);
    enroll();
    broker.keysetVersion(4);
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(agent.awaitSaid("failed")).contains("expected keyset version 5 or newer, found 4");
    }
  }

  @Test
  void anAgentThatWasAwayDuringTwoRootRotationsFollowsAndNeverGoesBack() throws Exception {
    enroll();
    SigningKey first = broker.rotateRoot(false);
    broker.rotateRoot(false);
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      broker.awaitAdmitted();
      agent.awaitSaid("admitted");
    }
    broker.showRoot(first);
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(agent.awaitSaid("failed")).contains("the root key is not the pinned one");
    }
  }

  @Test
  void aRootThatNobodyNamedIsRefused() throws Exception {
    enroll();
    broker.rotateRoot(true);
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(agent.awaitSaid("failed")).contains("the root key is not the pinned one");
    }
  }

  @Test
  void aTokenFromBeforeARootRotationEnrolls() throws Exception {
    broker.approve();
    EnrollmentToken old = broker.token();
    broker.rotateRoot(false);
    broker.rotateRoot(false);
    try (var agent = new AgentUnderTest(Start.with(directory, old))) {
      broker.awaitAdmitted();
      agent.awaitSaid("admitted");
    }
  }

  @Test
  void holdsAsManyTunnelsAsTheBrokerWants() throws Exception {
    broker.tunnels(3);
    enroll();
    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(
              List.of(
                  broker.awaitAdmitted().slot(),
                  broker.awaitAdmitted().slot(),
                  broker.awaitAdmitted().slot()))
          .containsExactlyInAnyOrder(0, 1, 2);
      agent.awaitSaid("admitted 2");
    }
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void answersTheBrokersProbe() throws Exception {
    broker.approve();
    try (var _ = new AgentUnderTest(Start.with(directory, broker.token()))) {
      MockSession session = broker.awaitAdmitted();

      assertThat(open(session, StreamKind.DIAGNOSTIC, "penstock").get(20, TimeUnit.SECONDS))
          .isEqualTo("HEAD 204");
    }
  }

  @Test
  void probesTheBroker() throws Exception {
    broker.approve();
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      MockSession session = broker.awaitAdmitted();
      agent.awaitSaid("admitted");
      Link.LiveTunnel tunnel = agent.link().tunnels().getFirst();

      assertThat(tunnel.probe(Duration.ofSeconds(5)).get(6, TimeUnit.SECONDS)).isTrue();
      session.answerProbes(false);
      assertThat(tunnel.probe(Duration.ofMillis(300)).get(6, TimeUnit.SECONDS)).isFalse();
    }
  }

  @Test
  void opensTheNewTunnelBeforeTheDrainedOneEnds() throws Exception {
    broker.approve();
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      MockSession old = broker.awaitAdmitted();
      CompletableFuture<String> running = open(old, StreamKind.HTTP, "erp");
      MuxStream stream = agent.awaitOpened();
      old.drain(50, 20_000);
      MockSession fresh = broker.awaitAdmitted();

      assertThat(old.whenGone()).isNotDone();
      assertThat(running).isNotDone();
      agent.answer(stream);
      assertThat(running.get(20, TimeUnit.SECONDS)).isEqualTo("HEAD 200");
      old.whenGone().get(20, TimeUnit.SECONDS);
      assertThat(fresh.whenGone()).isNotDone();
    }
  }

  @Test
  void aRevocationOnARetiringTunnelEndsTheAgent() throws Exception {
    broker.approve();
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      MockSession old = broker.awaitAdmitted();
      var _ = open(old, StreamKind.HTTP, "erp");
      agent.awaitOpened();
      old.drain(0, 20_000);
      broker.awaitAdmitted();
      broker.revoke(old);

      assertThat(agent.awaitSaid("refused")).startsWith("refused REVOKED wiped");
      assertThat(directory).isDirectoryNotContaining(it -> !it.endsWith("lock"));
    }
  }

  @Test
  void finishesRunningStreamsAndRefusesNewOnesWhenItStops() throws Exception {
    broker.approve();
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      MockSession session = broker.awaitAdmitted();
      CompletableFuture<String> running = open(session, StreamKind.HTTP, "erp");
      MuxStream stream = agent.awaitOpened();
      var stopping = new CompletableFuture<Void>();
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  agent.link().drain(Duration.ofSeconds(20));
                  stopping.complete(null);
                } catch (InterruptedException interrupted) {
                  stopping.completeExceptionally(interrupted);
                }
              });
      session.whenDrained().get(20, TimeUnit.SECONDS);

      assertThat(open(session, StreamKind.HTTP, "erp").get(20, TimeUnit.SECONDS))
          .isEqualTo("refused here");
      assertThat(stopping).isNotDone();
      agent.answer(stream);

      stopping.get(20, TimeUnit.SECONDS);
      assertThat(running.get(20, TimeUnit.SECONDS)).isEqualTo("HEAD 200");
      assertThat(session.closedByAgent().get(20, TimeUnit.SECONDS)).isEqualTo(ErrorCode.SHUTDOWN);
    }
  }

  @Test
  void noticesABrokerThatFellSilent() throws Exception {
    broker.approve();
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      broker.awaitAdmitted().mute();

      assertThat(agent.awaitSaid("failed")).contains("nothing was received for almost 15000 ms");
      broker.awaitAdmitted();
    }
  }
}
