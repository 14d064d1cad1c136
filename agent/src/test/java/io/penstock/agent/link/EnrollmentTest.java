package io.penstock.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.agent.identity.Failpoint;
import io.penstock.agent.link.AgentUnderTest.Start;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.mock.TestCa;
import io.penstock.codec.ErrorCode;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class EnrollmentTest {
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

  @Test
  void waitsWithTheFingerprintOfBothSidesAndServesOnceApproved() throws Exception {
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      String pending = agent.awaitSaid("pending");
      broker.approve();
      agent.awaitSaid("approved");
      broker.awaitAdmitted();

      assertThat(pending).isEqualTo("pending plant-7 " + broker.fingerprint());
      assertThat(directory.resolve("fingerprint")).hasContent(broker.fingerprint() + "\n");
      assertThat(broker.alarms()).isEmpty();
      assertThat(broker.unlockEpoch()).isEqualTo(1);
    }
  }

  @Test
  void waitsOnWithoutTheTokenAfterARestart() throws Exception {
    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      agent.awaitSaid("pending");
    }

    try (var agent = new AgentUnderTest(Start.again(directory))) {
      assertThat(agent.awaitSaid("pending")).endsWith(broker.fingerprint());
      broker.approve();
      broker.awaitAdmitted();
    }
    assertThat(broker.alarms()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"ENROLL_AFTER_KEYS_WRITTEN", "ENROLL_AFTER_MESSAGE_3"})
  void enrollsWithTheSameTokenAfterACrash(Failpoint crashAt) throws Exception {
    try (var agent =
        new AgentUnderTest(Start.with(directory, broker.token()).crashingAt(crashAt))) {
      agent.awaitCrash();
    }

    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      agent.awaitSaid("pending");
      broker.approve();
      broker.awaitAdmitted();
    }
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void isRefusedForGoodWithAWrongSecret() throws Exception {
    broker.denyEnrollment();

    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      assertThat(agent.awaitSaid("refused")).startsWith("refused " + ErrorCode.ENROLL_DENIED);
    }
  }

  @Test
  void saysNothingToABrokerWhoseNodeIsNotCertified() throws Exception {
    broker.forgeCertificate(true);

    try (var agent = new AgentUnderTest(Start.with(directory, broker.token()))) {
      assertThat(agent.awaitSaid("failed"))
          .contains("handshake: the broker's identity does not hold")
          .contains("another static key");
      broker.forgeCertificate(false);
      agent.awaitSaid("pending");
    }
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void saysNothingToABrokerOfAnotherOwner() throws Exception {
    try (var other = new MockBroker(new TestCa("other"));
        var agent =
            new AgentUnderTest(
                Start.with(directory, broker.token())
                    .at(new BrokerAddress("localhost", other.port())))) {
      assertThat(agent.awaitSaid("failed")).contains("TLS");
      // It may have seen the handshake break, and nothing that was said inside.
      assertThat(other.log()).allMatch(line -> line.contains("SslHandshakeException"));
    }
  }

  @Test
  void refusesAnotherOwnersRootBehindATrustedCertificate() throws Exception {
    var ca = new TestCa("corporate");
    try (var other = new MockBroker(ca);
        var agent =
            new AgentUnderTest(
                Start.with(directory, broker.token())
                    .at(new BrokerAddress("localhost", other.port()))
                    .trusting(ca.writePem(parent.resolve("ca.pem"))))) {
      assertThat(agent.awaitSaid("failed")).contains("handshake: the broker's");
      assertThat(agent.failures().getFirst().isForGood()).isFalse();
    }
  }
}
