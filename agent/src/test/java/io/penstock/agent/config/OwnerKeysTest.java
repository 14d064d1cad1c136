package io.penstock.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.agent.config.ConfiguredAgent.Start;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.mock.MockSession;
import io.penstock.agent.mock.TestCa;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SigningKey;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What an agent makes of the owner's keys that a live tunnel shows while they are rotated.
@Timeout(120)
final class OwnerKeysTest {
  @TempDir private Path parent;
  private MockBroker broker;
  private Plant plant;

  @BeforeEach
  void start() throws Exception {
    broker = new MockBroker(new TestCa("owner"));
    broker.approve();
    plant = new Plant("one");
  }

  @AfterEach
  void stop() {
    plant.close();
    broker.close();
  }

  private ConfiguredAgent agent() throws Exception {
    return new ConfiguredAgent(Start.on(parent.resolve("data"), broker));
  }

  /// What a tunnel brings is dealt with in its order: once this is applied, so are the keys.
  private void show(MockSession session) throws Exception {
    session.send(broker.ownerKeys());
    session.deliver(
        1,
        broker.cloud().message("erp", 1, broker.cloud().deploy("erp", 1, plant.settings(), null)));
    String jws = String.valueOf(session.awaitReceipt().body().receipt());
    assertThat(Receipt.verify(jws, broker.signingKey()).getFirst().outcome())
        .isInstanceOf(Receipt.Applied.class);
  }

  @Test
  void aNewerKeysetOnALiveTunnelIsTheFloorFromThenOn() throws Exception {
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      broker.keysetVersion(7);
      show(session);
      broker.keysetVersion(6);
      session.cut();

      agent.awaitFailure("keyset");
      broker.keysetVersion(7);
      broker.awaitAdmitted();
    }
  }

  @Test
  void aNewRootThatTheOldOneNamesMovesThePinForGood() throws Exception {
    SigningKey old;
    try (var agent = agent()) {
      MockSession session = broker.awaitAdmitted();
      old = broker.rotateRoot(false);
      show(session);
      broker.showRoot(old);
      session.cut();

      agent.awaitFailure("root");
    }
    try (var agent = agent()) {
      agent.awaitFailure("root");
    }
  }

  @Test
  void aRootThatNobodyNamesChangesNothing() throws Exception {
    try (var _ = agent()) {
      MockSession session = broker.awaitAdmitted();
      SigningKey right = broker.rotateRoot(true);
      show(session);
      assertThat(session.whenGone()).as("nothing that the old keys signed is lost").isNotDone();
      broker.showRoot(right);
      session.cut();

      broker.awaitAdmitted();
    }
  }
}
