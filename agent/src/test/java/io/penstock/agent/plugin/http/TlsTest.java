package io.penstock.agent.plugin.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.agent.mock.TestCa;
import io.penstock.codec.ErrorCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class TlsTest {
  @TempDir Path directory;

  private Tunnel trusting(TestCa ca, int port) throws IOException {
    Path file = ca.writePem(directory.resolve("ca.pem"));
    return Tunnel.to("https://127.0.0.1:" + port, "\"ca_file\": \"" + file + "\"");
  }

  @Test
  void callsASystemUnderTls() throws GeneralSecurityException, IOException {
    var ca = new TestCa("plant");
    try (var system = new RawSystem(ca.serverSocket("127.0.0.1"));
        var tunnel = trusting(ca, system.port())) {
      Call call = tunnel.call("POST", "/", false);
      call.send("x".repeat(20_000), true);
      try (var peer = system.accept()) {
        assertThat(peer.readHead()).contains("Host: 127.0.0.1:" + system.port() + "\r\n");
        peer.readUntil("0\r\n\r\n");
        peer.answer("y".repeat(100_000));

        assertThat(call.answer().body()).hasSize(100_000);
      }
    }
  }

  @Test
  void refusesACertificateOfAnotherCa() throws GeneralSecurityException, IOException {
    try (var system = new RawSystem(new TestCa("stranger").serverSocket("127.0.0.1"));
        var tunnel = trusting(new TestCa("plant"), system.port())) {
      assertUntouched(system, tunnel);
    }
  }

  @Test
  void refusesACertificateOfAnotherHost() throws GeneralSecurityException, IOException {
    var ca = new TestCa("plant");
    try (var system = new RawSystem(ca.serverSocket("other.example"));
        var tunnel = trusting(ca, system.port())) {
      assertUntouched(system, tunnel);
    }
  }

  @Test
  void anAnswerThatTlsItselfClosesIsWhole() throws GeneralSecurityException, IOException {
    var ca = new TestCa("plant");
    try (var system = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var tunnel = trusting(ca, system.getLocalPort())) {
      Call call = tunnel.get("/");
      try (Socket tcp = system.accept()) {
        answerUntilClose(ca, tcp).close();

        assertThat(call.answer().body()).isEqualTo("all of it");
      }
    }
  }

  @Test
  void anAnswerWhoseTcpConnectionClosesUnderTlsIsNotWhole()
      throws GeneralSecurityException, IOException {
    var ca = new TestCa("plant");
    try (var system = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var tunnel = trusting(ca, system.getLocalPort())) {
      Call call = tunnel.get("/");
      try (Socket tcp = system.accept()) {
        answerUntilClose(ca, tcp);
      }

      assertThat(call.reset().code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
    }
  }

  /// Only the close tells where this answer ends.
  private static SSLSocket answerUntilClose(TestCa ca, Socket tcp)
      throws GeneralSecurityException, IOException {
    var tls =
        (SSLSocket)
            ca.serverContext("127.0.0.1")
                .getSocketFactory()
                .createSocket(tcp, "127.0.0.1", tcp.getPort(), false);
    tls.setUseClientMode(false);
    var in = new BufferedReader(new InputStreamReader(tls.getInputStream(), ISO_8859_1));
    while (!in.readLine().isEmpty()) {
      // The request's head.
    }
    tls.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\nall of it".getBytes(ISO_8859_1));
    return tls;
  }

  private static void assertUntouched(RawSystem system, Tunnel tunnel) throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      assertThat(peer.isClosedByAgent()).isTrue();
    }
    Call.Event.Reset reset = call.reset();
    assertThat(reset.code()).isEqualTo(ErrorCode.CONNECT_FAILED);
    assertThat(reset.untouched()).isTrue();
  }
}
