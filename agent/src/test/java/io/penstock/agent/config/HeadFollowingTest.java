package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.agent.config.ConfiguredAgent.Start;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.mock.MockCloud;
import io.penstock.agent.mock.MockSession;
import io.penstock.agent.mock.TestCa;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What an agent does without a message, or when its surroundings fail while it has one: heads,
/// fetches, stores of secrets, the disk.
@Timeout(120)
final class HeadFollowingTest {
  private static final String NEEDS_A_FILE = "{\"bearer_token\":\"${secret:erp}\"}";

  @TempDir private Path parent;
  private Path directory;
  private MockBroker broker;
  private MockCloud cloud;
  private Plant plant;
  private Plant second;

  @BeforeEach
  void start() throws Exception {
    broker = new MockBroker(new TestCa("owner"));
    broker.approve();
    cloud = broker.cloud();
    directory = parent.resolve("data");
    plant = new Plant("one");
    second = new Plant("two");
  }

  @AfterEach
  void stop() {
    second.close();
    plant.close();
    broker.close();
  }

  private ConfiguredAgent agent() throws Exception {
    return new ConfiguredAgent(Start.on(directory, broker));
  }

  private ConfiguredAgent agentWith(ConfigurationSettings settings) throws Exception {
    return new ConfiguredAgent(Start.on(directory, broker).with(settings));
  }

  private Receipt receipt(MockSession session, long sequence) throws Exception {
    MockSession.Receipted receipted = session.awaitReceipt();
    assertThat(receipted.sequence()).isEqualTo(sequence);
    return receipted.receipt(broker.signingKey());
  }

  private Receipt unasked(MockSession session) throws Exception {
    return session.awaitUnasked().receipt(broker.signingKey());
  }

  private void deploy(
      MockSession session, long sequence, String system, long version, String settings)
      throws Exception {
    deliver(session, sequence, system, version, settings, null);
    assertApplied(receipt(session, sequence), system, version);
  }

  private void deliver(
      MockSession session,
      long sequence,
      String system,
      long version,
      String settings,
      @Nullable String secrets) {
    session.deliver(
        sequence, cloud.message(system, version, cloud.deploy(system, version, settings, secrets)));
  }

  private static void assertApplied(Receipt receipt, String system, long version) {
    assertThat(receipt.system()).isEqualTo(system);
    assertThat(receipt.version()).isEqualTo(version);
    assertThat(receipt.outcome()).isEqualTo(new Receipt.Applied());
  }

  private static Reason reason(Receipt receipt) {
    assertThat(receipt.outcome()).isInstanceOf(Receipt.Refused.class);
    return ((Receipt.Refused) receipt.outcome()).reason();
  }

  private void showHead(MockSession session) {
    session.send(new ControlMessage.Head(cloud.head()));
  }

  // The head alone.

  @Test
  void aRunningSystemFollowsTheHeadAndProvesIt() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings());
      cloud.deploy("erp", 2, second.settings(), null);
      showHead(session);

      assertApplied(unasked(session), "erp", 2);
      assertThat(Caller.get(session, "erp")).isEqualTo("200 two");
      assertThat(session.hasReceipt()).isFalse();
    }
  }

  @Test
  void aTombstoneOfTheHeadAloneRemoves() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings());
      cloud.remove("erp", 2);
      showHead(session);

      assertApplied(unasked(session), "erp", 2);
      assertThat(Caller.get(session, "erp")).isEqualTo("RESET UNKNOWN_TARGET");
      assertThat(agent.configurations().statuses()).isEmpty();
    }
  }

  @Test
  void anExpiredHeadIsNotFollowed() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings());
      cloud.deploy("erp", 2, second.settings(), null);
      cloud.headsExpireIn(-1);
      showHead(session);
      session.deliver(
          2,
          new DeliveryMessage.Instruction(
              "i", 1, DeliveryMessage.InstructionKind.COLLECT_DIAGNOSTICS, "erp", "none"));

      assertThat(session.awaitReceipt().body().result()).contains("STALE", "erp 1 live");
      assertThat(agent.configurations().isStale()).isTrue();
      cloud.headsExpireIn(3600);
      showHead(session);
      assertApplied(unasked(session), "erp", 2);
      assertThat(cloud.fetches()).isEqualTo(1);
    }
  }

  @Test
  void aLastingRefusalIsNotTriedOnEveryHead() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings());
      cloud.deploy("erp", 2, plant.settings("\"colour\":\"red\""), null);
      showHead(session);
      Receipt refused = unasked(session);
      assertThat(reason(refused)).isEqualTo(Reason.SCHEMA_INVALID);
      assertThat(cloud.fetches()).isEqualTo(1);
      for (int i = 0; i < 3; i++) {
        // Each has a system of its own to follow, so that it is seen to be over.
        cloud.deploy("mes-" + i, 1, plant.settings(), null);
        showHead(session);
        assertApplied(unasked(session), "mes-" + i, 1);
      }

      assertThat(cloud.fetches()).isEqualTo(1 + 3);
      assertThat(Caller.get(session, "erp")).isEqualTo("200 one");
      cloud.deploy("erp", 3, second.settings(), null);
      showHead(session);
      assertApplied(unasked(session), "erp", 3);
    }
  }

  @Test
  void aReferenceThatComesToBeMakesTheRefusedVersionServe() throws Exception {
    Path secrets = Files.createDirectory(parent.resolve("secrets"));
    var settings =
        Start.settings(Optional.of(secrets), Map.of(), Optional.empty(), Optional.empty());
    try (var _ = agentWith(settings)) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings());
      deliver(session, 2, "erp", 2, second.settings(), NEEDS_A_FILE);
      assertThat(reason(receipt(session, 2))).isEqualTo(Reason.MISSING_SECRET_REFERENCE);
      Files.writeString(secrets.resolve("erp"), "token");

      assertApplied(unasked(session), "erp", 2);
      assertThat(Caller.get(session, "erp")).isEqualTo("200 two");
    }
  }

  @Test
  void aStartProvesEverySystemOnce() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      for (int i = 0; i < 20; i++) {
        deploy(session, i + 1, "erp-" + i, 1, plant.settings());
      }
      session.cut();
      MockSession again = broker.awaitAdmitted();
      assertThat(Caller.get(again, "erp-1")).isEqualTo("200 one");
      assertThat(again.hasUnasked()).as("nothing changed").isFalse();
    }
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      Set<String> proven = new HashSet<>();
      for (int i = 0; i < 20; i++) {
        Receipt receipt = unasked(session);
        assertThat(receipt.outcome()).isEqualTo(new Receipt.Applied());
        proven.add(receipt.system());
      }
      assertThat(proven).hasSize(20);
      // Nobody has confirmed them, so the next tunnel tells them again.
      session.cut();
      MockSession again = broker.awaitAdmitted();
      for (int i = 0; i < 20; i++) {
        proven.remove(unasked(again).system());
      }
      assertThat(proven).isEmpty();
    }
  }

  // Documents that do not come.

  @Test
  void aFailedFetchKeepsTheTunnelItsCallsAndTheMessage() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      deploy(session, 1, "erp", 1, plant.settings());
      plant.hold();
      CompletableFuture<String> running = Caller.begin(session, "erp");
      plant.awaitCall();
      cloud.handOut(false);
      cloud.deploy("erp", 2, second.settings(), null);
      showHead(session);
      session.deliver(2, new DeliveryMessage.Configuration("erp", 2, null, null));
      session.awaitReport(_ -> cloud.fetches() >= 2);
      // Others do not wait for it.
      deploy(session, 3, "mes", 1, second.settings());
      assertThat(running).isNotDone();
      cloud.handOut(true);

      assertApplied(receipt(session, 2), "erp", 2);
      plant.release();
      assertThat(running.get(10, TimeUnit.SECONDS)).isEqualTo("200 one");
      assertThat(session.whenGone()).isNotDone();
    }
  }

  @Test
  void aMessageWhoseDocumentNeverComesDoesNotBlockTheNext() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      cloud.handOut(false);
      cloud.deploy("erp", 1, plant.settings(), null);
      showHead(session);
      session.deliver(1, new DeliveryMessage.Configuration("erp", 1, null, null));
      deliver(session, 2, "erp", 2, second.settings(), null);

      assertThat(reason(receipt(session, 1))).isEqualTo(Reason.NOT_LISTED);
      assertApplied(receipt(session, 2), "erp", 2);
    }
  }

  // A store of secrets that hangs.

  @Test
  void aVaultThatHangsDelaysNobodyElseAndItsVersionIsRefusedInTime() throws Exception {
    Path secretId = Files.writeString(parent.resolve("secret-id"), FakeVault.SECRET_ID);
    try (var vault = new FakeVault()) {
      vault.put("kv/erp", "token", "first");
      vault.dribble(true);
      var at =
          new ConfigurationSettings.Vault(
              vault.address(), FakeVault.ROLE, secretId, Optional.empty());
      var settings = Start.settings(Optional.empty(), Map.of(), Optional.of(at), Optional.empty());
      try (var _ = agentWith(settings)) {
        MockSession session = broker.awaitAdmitted();
        long beganNanos = System.nanoTime();
        deliver(
            session, 1, "erp", 1, plant.settings(), "{\"bearer_token\":\"${vault:kv/erp#token}\"}");
        deploy(session, 2, "mes", 1, second.settings());
        assertThat(Duration.ofNanos(System.nanoTime() - beganNanos))
            .as("while Vault hangs")
            .isLessThan(Duration.ofSeconds(4));

        Receipt refused = receipt(session, 1);
        assertThat(reason(refused)).isEqualTo(Reason.MISSING_SECRET_REFERENCE);
        assertThat(((Receipt.Refused) refused.outcome()).detail()).contains("within 5 s");
        vault.dribble(false);
        assertApplied(unasked(session), "erp", 1);
      }
    }
  }

  // A disk that does not take the state, messages that are poison.

  @Test
  void aReceiptWaitsForTheDiskAndComesOnTheSameSession() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      Path inTheWay = Files.createDirectories(directory.resolve("state").resolve("x"));
      deliver(session, 1, "erp", 1, plant.settings(), null);
      session.awaitReport(it -> it.systems().stream().anyMatch(each -> each.state() == State.LIVE));
      session.deliver(
          2,
          new DeliveryMessage.Instruction(
              "i", 1, DeliveryMessage.InstructionKind.COLLECT_DIAGNOSTICS, "erp", "none"));
      assertThat(session.awaitReceipt().sequence()).as("others do not wait").isEqualTo(2);
      assertThat(session.hasReceipt()).isFalse();
      Files.delete(inTheWay);
      Files.delete(directory.resolve("state"));

      assertApplied(receipt(session, 1), "erp", 1);
      assertThat(directory.resolve("state")).isRegularFile();
      assertThat(agent.configurations().statuses()).hasSize(1);
    }
  }

  @Test
  void aMessageAboutWhatCanBeNoSystemIsAnsweredAndTheNextIsApplied() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      session.deliver(1, new DeliveryMessage.Configuration("No System", 1, null, null));
      session.deliver(2, new DeliveryMessage.Head("No System", 1, null));
      deliver(session, 3, "erp", 1, plant.settings(), null);

      var answers = new HashSet<Long>();
      for (int i = 0; i < 3; i++) {
        MockSession.Receipted receipted = session.awaitReceipt();
        answers.add(receipted.sequence());
        if (receipted.sequence() < 3) {
          assertThat(receipted.body().result()).isEqualTo(DeliveryReceipt.UNKNOWN);
        } else {
          assertApplied(receipted.receipt(broker.signingKey()), "erp", 1);
        }
      }
      assertThat(answers).containsExactlyInAnyOrderElementsOf(List.of(1L, 2L, 3L));
    }
  }
}
