package io.penstock.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.agent.link.AgentUnderTest.Start;
import io.penstock.agent.link.ProxySettings.Login;
import io.penstock.agent.mock.MockBroker;
import io.penstock.agent.mock.TestCa;
import io.penstock.agent.mock.TestProxy;
import io.penstock.codec.seal.EnrollmentToken;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DialStagesTest {
  @TempDir private Path parent;
  private Path directory;
  private TestCa ca;
  private MockBroker broker;

  @BeforeEach
  void start() throws Exception {
    ca = new TestCa("owner");
    broker = new MockBroker(ca);
    directory = parent.resolve("data");
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  /// The usual ones, but for one stage that is left waiting on purpose.
  private enum Impatient {
    PROXY,
    TLS,
    UPGRADE;

    private static final Duration SOON = Duration.ofMillis(700);

    Dialer.Deadlines deadlines() {
      Dialer.Deadlines usual = Dialer.Deadlines.DEFAULT;
      return new Dialer.Deadlines(
          usual.dns(),
          usual.tcp(),
          this == PROXY ? SOON : usual.proxy(),
          this == TLS ? SOON : usual.tls(),
          this == UPGRADE ? SOON : usual.upgrade());
    }
  }

  private LinkFailure firstFailure(Start start) throws Exception {
    try (var agent = new AgentUnderTest(start)) {
      agent.awaitSaid("failed");
      return agent.failures().getFirst();
    }
  }

  private Start dialling(String host, int port) {
    return Start.with(directory, broker.token()).at(new BrokerAddress(host, port));
  }

  private static ProxySettings proxy(int port, Optional<Login> login) {
    return new ProxySettings(new BrokerAddress("localhost", port), login);
  }

  @Test
  void namesDns() throws Exception {
    LinkFailure failure = firstFailure(dialling("no-such-host.invalid", 443));

    assertThat(failure.stage()).isEqualTo(Stage.DNS);
    assertThat(failure.text()).contains("no-such-host.invalid");
  }

  @Test
  void namesTcp() throws Exception {
    int port;
    try (var closed = new ServerSocket(0)) {
      port = closed.getLocalPort();
    }

    LinkFailure failure = firstFailure(dialling("localhost", port));

    assertThat(failure.stage()).isEqualTo(Stage.TCP);
    assertThat(failure.text()).contains("Connection refused");
  }

  @Test
  void namesTlsWhenTheCaIsNeitherKnownNorPinned() throws Exception {
    EnrollmentToken pinned = broker.token();
    var token =
        new EnrollmentToken(
            pinned.id(),
            pinned.secret(),
            pinned.rootSha256(),
            pinned.expiresAt(),
            pinned.brokerUrl(),
            Optional.empty());

    LinkFailure failure = firstFailure(Start.with(directory, token));

    assertThat(failure.stage()).isEqualTo(Stage.TLS);
    assertThat(failure.text()).contains("unable to find valid certification path");
  }

  @Test
  void namesTlsWhenTheCertificateIsForAnotherHost() throws Exception {
    LinkFailure failure = firstFailure(dialling("127.0.0.1", broker.port()));

    assertThat(failure.stage()).isEqualTo(Stage.TLS);
    assertThat(failure.text()).contains("127.0.0.1");
  }

  @Test
  void namesTlsWhenTheBrokerTakesTcpAndNeverAnswers() throws Exception {
    try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      LinkFailure failure =
          firstFailure(
              dialling("localhost", silent.getLocalPort()).within(Impatient.TLS.deadlines()));

      assertThat(failure.stage()).isEqualTo(Stage.TLS);
      assertThat(failure.text()).contains("timed out");
    }
  }

  @Test
  void namesTheUpgradeWhenTlsStandsAndNothingFollows() throws Exception {
    try (var silent = TlsPeer.silent(ca)) {
      LinkFailure failure =
          firstFailure(dialling("localhost", silent.port()).within(Impatient.UPGRADE.deadlines()));

      assertThat(failure.stage()).isEqualTo(Stage.UPGRADE);
      assertThat(failure.text()).contains("within 700 ms, found silence");
    }
  }

  @Test
  void namesTheUpgradeAndItsRetryAfterWhenRefused() throws Exception {
    try (var busy =
        TlsPeer.answering(
            ca,
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")) {
      LinkFailure failure = firstFailure(dialling("localhost", busy.port()));

      assertThat(failure.stage()).isEqualTo(Stage.UPGRADE);
      assertThat(failure.text()).contains("found 503");
      assertThat(failure.retryAfter()).contains(Duration.ofSeconds(7));
    }
  }

  @Test
  void dialsThroughAProxyThatWantsBasic() throws Exception {
    try (var proxy = new TestProxy("plant", "canary-secret");
        var agent =
            new AgentUnderTest(
                Start.with(directory, broker.token())
                    .through(
                        proxy(proxy.port(), Optional.of(new Login("plant", "canary-secret")))))) {
      agent.awaitSaid("pending");

      assertThat(proxy.connects())
          .containsExactly("CONNECT localhost:" + broker.port() + " HTTP/1.1");
    }
  }

  @Test
  void namesTheProxyWhenItRefusesWithoutShowingThePassword() throws Exception {
    try (var proxy = new TestProxy("plant", "right")) {
      LinkFailure failure =
          firstFailure(
              Start.with(directory, broker.token())
                  .through(proxy(proxy.port(), Optional.of(new Login("plant", "canary-secret")))));

      assertThat(failure.stage()).isEqualTo(Stage.PROXY);
      assertThat(failure.text()).contains("407").doesNotContain("canary-secret");
    }
  }

  @Test
  void namesTheProxyWhenItNeverAnswers() throws Exception {
    try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      LinkFailure failure =
          firstFailure(
              Start.with(directory, broker.token())
                  .through(proxy(silent.getLocalPort(), Optional.empty()))
                  .within(Impatient.PROXY.deadlines()));

      assertThat(failure.stage()).isEqualTo(Stage.PROXY);
      assertThat(failure.text()).contains("no answer in time");
    }
  }

  @Test
  void takesAnOwnCaFileInsteadOfThePin() throws Exception {
    EnrollmentToken pinned = broker.token();
    var token =
        new EnrollmentToken(
            pinned.id(),
            pinned.secret(),
            pinned.rootSha256(),
            pinned.expiresAt(),
            pinned.brokerUrl(),
            Optional.empty());

    try (var agent =
        new AgentUnderTest(
            Start.with(directory, token).trusting(ca.writePem(parent.resolve("ca.pem"))))) {
      agent.awaitSaid("pending");
    }
  }

  @Test
  void triesTheNextBrokerWhenOneCannotBeReached() throws Exception {
    int closed;
    try (var socket = new ServerSocket(0)) {
      closed = socket.getLocalPort();
    }

    try (var agent =
        new AgentUnderTest(
            Start.with(directory, broker.token())
                .at(
                    new BrokerAddress("localhost", closed),
                    new BrokerAddress("localhost", broker.port())))) {
      agent.awaitSaid("pending");
      assertThat(agent.failures()).hasSize(1);
    }
  }

  /// A TLS server of the right CA that says one thing, or nothing.
  private static final class TlsPeer implements AutoCloseable {
    private final ServerSocket server;

    /// Kept: a socket that nobody knows any more is closed by the garbage collector.
    private final List<SSLSocket> clients;

    private TlsPeer(ServerSocket server, List<SSLSocket> clients) {
      this.server = server;
      this.clients = clients;
    }

    static TlsPeer silent(TestCa ca) throws Exception {
      return answering(ca, "");
    }

    static TlsPeer answering(TestCa ca, String answer) throws Exception {
      ServerSocket server = ca.serverSocket("localhost");
      var clients = new CopyOnWriteArrayList<SSLSocket>();
      Thread.ofVirtual()
          .start(
              () -> {
                while (!server.isClosed()) {
                  try {
                    SSLSocket client = (SSLSocket) server.accept();
                    clients.add(client);
                    client.startHandshake();
                    client.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                    client.getOutputStream().flush();
                  } catch (IOException over) {
                    // The next one.
                  }
                }
              });
      return new TlsPeer(server, clients);
    }

    int port() {
      return server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      server.close();
      for (SSLSocket client : clients) {
        client.close();
      }
    }
  }
}
