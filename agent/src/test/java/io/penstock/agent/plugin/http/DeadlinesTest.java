package io.penstock.agent.plugin.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Limits that travel with OPEN, lowered by the system's settings.
@Timeout(30)
class DeadlinesTest {
  private static final int LONG_MS = 60_000;
  private static final int SHORT_MS = 150;

  private RawSystem system;
  private Tunnel tunnel;

  @BeforeEach
  void start() throws IOException {
    system = new RawSystem();
    tunnel = Tunnel.to(system.url());
  }

  @AfterEach
  void stop() throws IOException {
    tunnel.close();
    system.close();
  }

  private static void assertLate(Call call, RawSystem.Peer peer) {
    Call.Event.Reset reset = call.reset();
    assertThat(reset.code()).isEqualTo(ErrorCode.DEADLINE);
    assertThat(reset.untouched()).isFalse();
    assertThat(peer.isClosedByAgent()).isTrue();
  }

  @Test
  void aSystemThatDoesNotAnswerIsLate() throws IOException {
    var limits = new Deadlines(LONG_MS, SHORT_MS, LONG_MS, 0);
    Call call = tunnel.call(limits, "GET", "/", true);
    try (var peer = system.accept()) {
      peer.readHead();

      assertLate(call, peer);
    }
  }

  @Test
  void silenceWithinAnAnswerIsLate() throws IOException {
    var limits = new Deadlines(LONG_MS, LONG_MS, SHORT_MS, 0);
    Call call = tunnel.call(limits, "GET", "/", true);
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");

      assertLate(call, peer);
    }
  }

  /// The system is done and its connection gone; what is left is at most a credit's worth, and goes
  /// when the broker, whose caller does not read, gives up by its own limit.
  @Test
  void anAnswerWhoseEndWaitsForCreditHoldsNoConnectionAndEndsWithTheBrokersReset()
      throws IOException {
    Call call = tunnel.get("/").stopReading();
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write(
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 40000\r\n\r\n"
              + "x".repeat(40_000));
      assertThat(peer.isClosedByAgent()).as("the call is over for the system").isTrue();

      assertThat(tunnel.openAtAgent()).isEqualTo(1);
      call.goAway();

      assertThat(tunnel.openAtAgent()).isZero();
    }
  }

  @Test
  void silenceWithinARequestIsLate() throws IOException {
    var limits = new Deadlines(LONG_MS, LONG_MS, SHORT_MS, 0);
    Call call = tunnel.call(limits, "POST", "/", false);
    try (var peer = system.accept()) {
      peer.readHead();

      assertLate(call, peer);
    }
  }

  @Test
  void aCallThatTakesTooLongInAllIsLateThoughBytesMove() throws IOException {
    var limits = new Deadlines(LONG_MS, LONG_MS, LONG_MS, 4 * SHORT_MS);
    Call call = tunnel.call(limits, "GET", "/", true);
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");

      assertLate(call, peer);
    }
  }

  @Test
  void theSystemsSettingsLowerTheCallersLimits() throws IOException {
    try (var strict = Tunnel.to(system.url(), "\"first_byte_ms\": " + SHORT_MS)) {
      Call call = strict.get("/");
      try (var peer = system.accept()) {
        peer.readHead();

        assertLate(call, peer);
      }
    }
  }

  @Test
  void theFirstByteIsAwaitedFromTheRequestsEnd() throws IOException {
    var limits = new Deadlines(LONG_MS, SHORT_MS, LONG_MS, 0);
    Call upload = tunnel.call(limits, "POST", "/", false);
    try (var uploading = system.accept()) {
      uploading.readHead();
      Call late = tunnel.call(limits, "GET", "/", true);
      try (var peer = system.accept()) {
        peer.readHead();
        assertLate(late, peer);
      }

      assertThat(upload.isQuiet()).isTrue();
      upload.send("x", true);
      assertLate(upload, uploading);
    }
  }

  @Test
  void anAnswerInTimeIsNotTouched() throws IOException {
    var limits = new Deadlines(LONG_MS, SHORT_MS, LONG_MS, 0);
    Call first = tunnel.call(limits, "GET", "/1", true);
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1");
      Call late = tunnel.call(limits, "GET", "/2", true);
      try (var other = system.accept()) {
        assertLate(late, other);
      }

      peer.write("!");
      assertThat(first.answer().body()).isEqualTo("1!");
    }
  }
}
