package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.ConnectRequest;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.noise.StaticKeyPair;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WithoutDatabaseTest {
  private static final InetAddress HERE = InetAddress.ofLiteral("198.51.100.4");

  @TempDir Path directory;
  private TestBroker broker;
  private Database nowhere;
  private Agents agents;

  @BeforeEach
  void start() {
    broker = new TestBroker(directory.resolve("data"));
    nowhere = Database.connect(broker.vertx(), broker::nowhere, 2, Duration.ofSeconds(2));
    agents = broker.withoutDatabase(nowhere);
  }

  @AfterEach
  void stop() {
    agents.close();
    nowhere.close();
    broker.close();
  }

  @Test
  void aNewTunnelIsToldToComeAgain() {
    StaticKeyPair dev = StaticKeyPair.generate();
    var request =
        new ConnectRequest("press", 1, 0, 0, new byte[16], "1.0", List.of(), new byte[32], null);
    var attempt = new ConnectionAttempt(request, dev.publicKey(), new byte[32], HERE);

    assertThatThrownBy(
            () -> agents.authority().connect(attempt, new FakeChannel(broker.sessions, HERE)))
        .isInstanceOfSatisfying(
            TunnelRefused.class,
            refused -> {
              assertThat(refused.code()).isEqualTo(ErrorCode.UNAVAILABLE);
              assertThat(refused.retryAfterMs()).isPositive();
            });
  }

  @Test
  void aTokenIsNotAnsweredWithAKeyThatWouldRefuseIt() {
    assertThatThrownBy(
            () -> agents.authority().enrollmentKey(new EnrollHello(new byte[16], "1.0"), HERE))
        .isInstanceOf(StoreUnavailableException.class);
  }

  @Test
  void aDecisionFailsAndARunningSessionGoesOn() {
    FakeSession running = new TestAgent(broker, "press").approved().connect().serve();

    assertThatThrownBy(() -> agents.operations().revoke("press", TestBroker.ADMIN))
        .isInstanceOf(StoreUnavailableException.class);

    assertThat(running.isOpen()).isTrue();
    assertThat(broker.keys().revocations().isRevoked("press")).isFalse();
  }

  @Test
  void theTunnelLogKeepsWhatItCannotWrite() {
    FakeSession session = new TestAgent(broker, "press").approved().connect().serve();
    Presence presence = agents.presence();
    presence.closed(session, "gone");

    assertThatThrownBy(presence::write).isInstanceOf(StoreUnavailableException.class);
    assertThatThrownBy(presence::write).isInstanceOf(StoreUnavailableException.class);
  }
}
