package io.penstock.broker.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.time.Duration;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// TLS of the public port, tried by the JDK's client and by BoringSSL.
@Timeout(30)
class ServerTlsTest {
  private final FrontWorld world = new FrontWorld();

  @BeforeEach
  void start() throws Exception {
    world.tls(TestTls.serverContext()).start(FrontSettings.DEFAULTS);
  }

  @AfterEach
  void stop() {
    world.close();
  }

  private SSLSocket dial(String protocol, String... groups) throws Exception {
    SSLSocket socket = TestTls.dial(world.port());
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setProtocols(new String[] {protocol});
    parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
    if (groups.length > 0) {
      parameters.setNamedGroups(groups);
    }
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  @Test
  void servesTls13WithHttp11() throws Exception {
    try (SSLSocket socket = dial("TLSv1.3");
        Client client = new Client(socket)) {
      client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.response().body()).isEqualTo("edge GET /invoke/x 0");
      assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.3");
      assertThat(socket.getApplicationProtocol()).isEqualTo("http/1.1");
    }
  }

  @Test
  void refusesTls12() {
    assertThatThrownBy(() -> dial("TLSv1.2").close()).isInstanceOf(SSLException.class);

    world.await(() -> world.counters().tlsFailed() == 1);
    world.await(() -> world.counters().open() == 0);
  }

  @Test
  void takesX25519AndNoOtherClassicalGroup() throws Exception {
    assertThat(ServerTls.isBoringSsl()).isTrue();
    dial("TLSv1.3", "x25519").close();

    assertThatThrownBy(() -> dial("TLSv1.3", "secp256r1").close()).isInstanceOf(SSLException.class);
  }

  @Test
  void agreesOnTheHybridGroup() throws Exception {
    SslContext onlyHybrid =
        SslContextBuilder.forClient()
            .sslProvider(SslProvider.OPENSSL)
            .protocols("TLSv1.3")
            .option(OpenSslContextOption.GROUPS, new String[] {"X25519MLKEM768"})
            .trustManager(InsecureTrustManagerFactory.INSTANCE)
            .build();

    assertThat(NettyHandshake.with(onlyHybrid, world.port())).isEqualTo("TLSv1.3");
  }

  @Test
  void connectionThatNeverSpeaksTlsIsClosed() throws Exception {
    try (FrontWorld hasty = new FrontWorld().tls(TestTls.serverContext())) {
      FrontSettings d = FrontSettings.DEFAULTS;
      hasty.start(
          new FrontSettings(
              d.maxConnections(),
              d.maxConnectionsPerAddress(),
              Duration.ofMillis(200),
              d.head(),
              d.keepAlive(),
              d.apiBodyBytes(),
              d.apiStall()));
      try (Client client = Client.dial(hasty.port())) {
        client.awaitEnd();
      }
      assertThat(hasty.counters().tlsFailed()).isEqualTo(1);
    }
  }

  @Test
  void cleartextOnTheTlsPortIsClosed() throws Exception {
    try (Client client = world.dial()) {
      client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");

      client.awaitEnd();
    }
  }
}
