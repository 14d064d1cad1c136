package io.penstock.loadtest.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.DeliveryMessage;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.TokenSecret;
import io.penstock.loadtest.fleet.ScriptedBroker.Receipted;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A simulated agent is as strict as a real one towards its broker, and as honest.
class SimulatedAgentTest {
  private static final String HEADER = "header.of.a-version";

  @TempDir Path directory;
  private ScriptedBroker broker;
  private Fleet fleet;
  private SimulatedAgent agent;

  @BeforeEach
  void start() throws Exception {
    broker = new ScriptedBroker(directory);
    fleet = Fleet.of(broker.endpoint(broker.rootSha256()), 1);
    agent = fleet.create(ScriptedBroker.AGENT);
  }

  @AfterEach
  void stop() {
    fleet.close();
    broker.close();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.get(20, TimeUnit.SECONDS);
  }

  private void enrollAndConnect() throws Exception {
    SimulatedAgent.Asking asking = get(agent.enroll(broker.token()));
    broker.await("pending");
    broker.approve();
    get(asking.approved());
    get(agent.connect());
    broker.await("admitted");
  }

  @Test
  void theEndOfATunnelHasItsReasonAndOneThatIsOverNone() throws Exception {
    assertThat(get(agent.tunnelEnd())).isEmpty();
    enrollAndConnect();

    var end = agent.tunnelEnd();
    agent.cut();

    assertThat(get(end).orElseThrow().isRevocation()).isFalse();
    assertThat(get(agent.tunnelEnd())).isEmpty();
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the secrets may be null
  private static DeliveryMessage configuration(long version) {
    return new DeliveryMessage.Configuration(
        "erp",
        version,
        null,
        new ConfigurationDocument(HEADER, "{}".getBytes(StandardCharsets.UTF_8), null));
  }

  @Test
  void enrollsAndIsAdmittedWithTheKeysThatItProved() throws Exception {
    enrollAndConnect();
    broker.await("committed");

    assertThat(broker.broken()).isEmpty();
    assertThat(fleet.counters().admitted()).isEqualTo(1);
    assertThat(fleet.counters().failures()).isZero();
  }

  @Test
  void itsReceiptsVerifyWithItsIdentity() throws Exception {
    enrollAndConnect();

    broker.deliver(7, configuration(3));
    Receipted receipted = broker.awaitReceipt();

    assertThat(receipted.sequence()).isEqualTo(7);
    String jws = String.valueOf(receipted.body().receipt());
    Receipt receipt = Receipt.verify(jws, broker.signingKey()).getFirst();
    assertThat(receipt.agent()).isEqualTo(ScriptedBroker.AGENT);
    assertThat(receipt.generation()).isEqualTo(1);
    assertThat(receipt.system()).isEqualTo("erp");
    assertThat(receipt.version()).isEqualTo(3);
    assertThat(receipt.outcome()).isInstanceOf(Receipt.Applied.class);
    assertThat(receipt.headerSha256())
        .isEqualTo(Octets.sha256(HEADER.getBytes(StandardCharsets.US_ASCII)));
    assertThatThrownBy(
            () -> Receipt.verify(jws, SigningKey.generate(new SecureRandom()).verifyingKey()))
        .isInstanceOf(SealException.class);
  }

  @Test
  void answersThatAreHeldLeaveInTheirOrderWhenTheyAreReleased() throws Exception {
    enrollAndConnect();
    fleet.holdAnswers();
    broker.deliver(1, configuration(1));
    broker.deliver(2, instruction());
    while (fleet.counters().messages() < 2) {
      Thread.onSpinWait();
    }
    assertThat(broker.hasReceipt()).isFalse();

    fleet.releaseAnswers();

    assertThat(broker.awaitReceipt().sequence()).isEqualTo(1);
    Receipted second = broker.awaitReceipt();
    assertThat(second.sequence()).isEqualTo(2);
    assertThat(second.body().result()).isEqualTo("done");
  }

  @SuppressWarnings("NullAway") // does not see in a class file that the system may be null
  private static DeliveryMessage instruction() {
    return new DeliveryMessage.Instruction("i-1", 1, InstructionKind.RECONNECT, null, null);
  }

  @Test
  void refusesABrokerOfAnotherRoot() throws Exception {
    try (Fleet others = Fleet.of(broker.endpoint(Octets.sha256(new byte[] {1})), 1)) {
      SimulatedAgent other = others.create(ScriptedBroker.AGENT);

      assertThatThrownBy(() -> get(other.connect()))
          .isInstanceOf(ExecutionException.class)
          .hasRootCauseInstanceOf(SealException.class);
      assertThatThrownBy(() -> get(other.enroll(broker.token())))
          .isInstanceOf(ExecutionException.class)
          .hasRootCauseInstanceOf(SealException.class);
      assertThat(others.counters().failures()).isEqualTo(2);
      assertThat(others.counters().admitted()).isZero();
    }
  }

  @Test
  void refusesANodeWhoseCertificateIsForAnotherKey() {
    broker.forgeCertificate();

    assertThatThrownBy(() -> get(agent.connect()))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(SealException.class);
  }

  @Test
  void aTokenWithAnotherSecretEnrollsNobody() {
    EnrollmentToken right = broker.token();
    var wrong =
        new EnrollmentToken(
            right.id(),
            TokenSecret.of(new byte[TokenSecret.BYTES]),
            right.rootSha256(),
            right.expiresAt(),
            right.brokerUrl(),
            Optional.empty());

    assertThatThrownBy(() -> get(agent.enroll(wrong)))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(FleetException.class);
    assertThat(broker.broken()).isNotEmpty();
  }
}
