package io.penstock.agent.plugin.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.agent.mock.TestCa;
import io.penstock.codec.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
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
