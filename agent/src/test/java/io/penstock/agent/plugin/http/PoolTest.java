package io.penstock.agent.plugin.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which connection a call gets, and what becomes of it.
@Timeout(30)
class PoolTest {
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

  /// Calls once and leaves the connection in the pool.
  private RawSystem.Peer pooled() throws IOException {
    Call call = tunnel.get("/first");
    RawSystem.Peer peer = system.accept();
    peer.readHead();
    peer.answer("1");
    assertThat(call.answer().body()).isEqualTo("1");
    return peer;
  }

  @Test
  void reusesAConnection() throws IOException {
    try (var peer = pooled()) {
      Call second = tunnel.get("/second");

      assertThat(peer.readHead()).startsWith("GET /second ");
      peer.answer("2");
      assertThat(second.answer().body()).isEqualTo("2");
      assertThat(system.isLeftAlone()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"HEAD, 200 OK", "GET, 304 Not Modified"})
  void reusesAConnectionAfterAnAnswerWithoutBody(String method, String status) throws IOException {
    Call first = tunnel.call(method, "/", true);
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 " + status + "\r\nContent-Length: 77\r\n\r\n");
      assertThat(first.answer().body()).isEmpty();

      Call second = tunnel.get("/second");
      assertThat(peer.readHead()).startsWith("GET /second ");
      peer.answer("2");
      assertThat(second.answer().body()).isEqualTo("2");
    }
  }

  @Test
  void manyCallsInARowLeaveNoStreamBehind() throws IOException {
    try (var peer = pooled()) {
      for (int i = 0; i < 200; i++) {
        Call call = tunnel.get("/" + i);
        assertThat(peer.readHead()).startsWith("GET /" + i + " ");
        peer.answer("x");
        assertThat(call.answer().body()).isEqualTo("x");
      }

      assertThat(tunnel.openAtAgent()).isZero();
      assertThat(tunnel.openAtBroker()).isZero();
    }
  }

  @Test
  void reusesTheConnectionUsedLast() throws IOException {
    Call a = tunnel.get("/a");
    try (var first = system.accept()) {
      first.readHead();
      Call b = tunnel.get("/b");
      try (var second = system.accept()) {
        second.readHead();
        first.answer("a");
        a.answer();
        second.answer("b");
        b.answer();

        tunnel.get("/c");

        assertThat(second.readHead()).startsWith("GET /c ");
      }
    }
  }

  @Test
  void doesNotReuseWhatTheSystemCloses() throws IOException {
    Call first = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      first.answer();

      assertThat(peer.isClosedByAgent()).isTrue();
    }
  }

  @Test
  void doesNotReuseHttp10() throws IOException {
    Call first = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
      first.answer();

      assertThat(peer.isClosedByAgent()).isTrue();
    }
  }

  @Test
  void bytesOnAnIdleConnectionCloseIt() throws IOException {
    try (var peer = pooled()) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");

      assertThat(peer.isClosedByAgent()).isTrue();
    }
  }

  /// The system reads the request and closes without a word: what a keep-alive timeout that crosses
  /// the request looks like.
  private Call callOnStale(RawSystem.Peer peer, String method, boolean end) throws IOException {
    Call call = tunnel.call(method, "/again", end);
    assertThat(peer.readHead()).startsWith(method + " /again ");
    peer.close();
    return call;
  }

  @Test
  void asksOnceMoreWhenAPooledConnectionWasStale() throws IOException {
    Call call = callOnStale(pooled(), "GET", true);

    try (var fresh = system.accept()) {
      assertThat(fresh.readHead()).startsWith("GET /again ");
      fresh.answer("2");
      assertThat(call.answer().body()).isEqualTo("2");
    }
  }

  @Test
  void asksOnlyOnceMore() throws IOException {
    Call call = callOnStale(pooled(), "GET", true);
    try (var fresh = system.accept()) {
      fresh.readHead();
    }

    Call.Event.Reset reset = call.reset();
    assertThat(reset.code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
    assertThat(reset.untouched()).isFalse();
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void aPostIsNeverAskedTwice() throws IOException {
    Call call = callOnStale(pooled(), "POST", true);

    assertThat(call.reset().code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void aBodyThatHasBegunIsNotSentAgain() throws IOException {
    RawSystem.Peer peer = pooled();
    Call call = tunnel.call("PUT", "/again", false);
    peer.readHead();
    call.send("hello", false);
    assertThat(peer.readUntil("hello")).endsWith("hello");
    peer.close();

    assertThat(call.reset().code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void anIdempotentCallWhoseBodyHasNotBegunIsAskedAgain() throws IOException {
    Call call = callOnStale(pooled(), "PUT", false);
    try (var fresh = system.accept()) {
      fresh.readHead();
      call.send("hello", true);
      assertThat(fresh.readUntil("0\r\n\r\n")).isEqualTo("5\r\nhello\r\n0\r\n\r\n");
      fresh.answer("2");
      assertThat(call.answer().body()).isEqualTo("2");
    }
  }

  @Test
  void aHalfAnswerOnAPooledConnectionIsNotAskedAgain() throws IOException {
    RawSystem.Peer peer = pooled();
    Call call = tunnel.get("/again");
    peer.readHead();
    peer.write("HTTP/1.1 ");
    peer.close();

    assertThat(call.reset().code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void aFreshConnectionThatClosesIsNotAskedAgain() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
    }

    assertThat(call.reset().code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void aRefusedConnectionLeavesTheSystemUntouched() throws IOException {
    system.close();

    Call.Event.Reset reset = tunnel.get("/").reset();

    assertThat(reset.code()).isEqualTo(ErrorCode.CONNECT_FAILED);
    assertThat(reset.untouched()).isTrue();
  }

  @Test
  void anUnknownNameLeavesTheSystemUntouched() {
    try (var nowhere = Tunnel.to("http://does-not-exist.invalid")) {
      Call.Event.Reset reset = nowhere.get("/").reset();

      assertThat(reset.code()).isEqualTo(ErrorCode.CONNECT_FAILED);
      assertThat(reset.untouched()).isTrue();
    }
  }

  @Test
  void aNameIsResolvedAndEachAddressTried() throws IOException {
    try (var named = Tunnel.to("http://localhost:" + system.port())) {
      Call call = named.get("/");
      try (var peer = system.accept()) {
        assertThat(peer.readHead()).contains("Host: localhost:" + system.port() + "\r\n");
        peer.answer("x");
        assertThat(call.answer().body()).isEqualTo("x");
      }
    }
  }

  @Test
  void aConnectionThatDoesNotComeToStandFailsInTime() throws IOException {
    // The kernel completes as many handshakes as the backlog holds; TLS never begins.
    try (var secure = Tunnel.to("https://127.0.0.1:" + system.port(), "\"connect_ms\": 100")) {
      Call.Event.Reset reset = secure.get("/").reset();

      assertThat(reset.code()).isEqualTo(ErrorCode.CONNECT_FAILED);
      assertThat(reset.untouched()).isTrue();
      try (var peer = system.accept()) {
        assertThat(peer.isClosedByAgent()).isTrue();
      }
    }
  }

  @Test
  void callsBeyondTheConnectionsWaitTheirTurn() throws IOException {
    try (var narrow = Tunnel.to(system.url(), "\"max_connections\": 1")) {
      Call first = narrow.get("/1");
      try (var peer = system.accept()) {
        assertThat(peer.readHead()).startsWith("GET /1 ");
        Call second = narrow.get("/2");
        assertThat(system.isLeftAlone()).isTrue();
        peer.answer("1");
        first.answer();

        assertThat(peer.readHead()).startsWith("GET /2 ");
        peer.answer("2");
        assertThat(second.answer().body()).isEqualTo("2");
      }
    }
  }

  @Test
  void aWaitingCallGetsTheRoomOfAClosedConnection() throws IOException {
    try (var narrow = Tunnel.to(system.url(), "\"max_connections\": 1")) {
      Call first = narrow.get("/1");
      try (var peer = system.accept()) {
        peer.readHead();
        Call second = narrow.get("/2");
        first.goAway();
        try (var next = system.accept()) {
          assertThat(next.readHead()).startsWith("GET /2 ");
          next.answer("2");
          assertThat(second.answer().body()).isEqualTo("2");
        }
      }
    }
  }

  @Test
  void callsBeyondTheWaitingRoomAreRefused() throws IOException {
    try (var narrow = Tunnel.to(system.url(), "\"max_connections\": 1", "\"max_waiting\": 1")) {
      narrow.get("/1");
      try (var peer = system.accept()) {
        peer.readHead();
        narrow.get("/2");

        Call.Event.Reset reset = narrow.get("/3").reset();

        assertThat(reset.code()).isEqualTo(ErrorCode.OVERLOADED);
        assertThat(reset.untouched()).isTrue();
      }
    }
  }

  @Test
  void aCallerThatLeavesTheWaitingRoomIsNotCalledFor() throws IOException {
    try (var narrow = Tunnel.to(system.url(), "\"max_connections\": 1")) {
      Call first = narrow.get("/1");
      try (var peer = system.accept()) {
        peer.readHead();
        Call second = narrow.get("/2");
        Call third = narrow.get("/3");
        second.goAway();
        peer.answer("1");
        first.answer();

        assertThat(peer.readHead()).startsWith("GET /3 ");
        peer.answer("3");
        assertThat(third.answer().body()).isEqualTo("3");
      }
    }
  }

  @Test
  void aCallThatIsResetInTheTickOfItsOpeningIsNotCalledFor() throws IOException {
    try (var narrow = Tunnel.to(system.url(), "\"max_connections\": 1")) {
      Call first = narrow.get("/1");
      try (var peer = system.accept()) {
        peer.readHead();
        narrow.openAndReset("/2");
        Call third = narrow.get("/3");
        peer.answer("1");
        first.answer();

        assertThat(peer.readHead()).startsWith("GET /3 ");
        peer.answer("3");
        assertThat(third.answer().body()).isEqualTo("3");
      }
    }
  }

  @Test
  void waitingForAConnectionEndsInTime() throws IOException {
    try (var narrow = Tunnel.to(system.url(), "\"max_connections\": 1")) {
      narrow.get("/1");
      try (var peer = system.accept()) {
        peer.readHead();

        Call.Event.Reset reset =
            narrow.call(new Deadlines(100, 0, 0, 0), "GET", "/2", true).reset();

        assertThat(reset.code()).isEqualTo(ErrorCode.OVERLOADED);
        assertThat(reset.untouched()).isTrue();
      }
    }
  }

  @Test
  void aCallerThatGoesAwayClosesTheConnectionAtOnce() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      call.goAway();

      assertThat(peer.isClosedByAgent()).isTrue();
    }
  }

  @Test
  void aCallerThatGoesAwayWithinTheAnswerClosesTheConnection() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      call.head();
      call.goAway();

      assertThat(peer.isClosedByAgent()).isTrue();
      assertThat(tunnel.openAtAgent()).isZero();
    }
  }

  @Test
  void closingTheCatalogClosesIdleConnections() throws IOException {
    try (var peer = pooled()) {
      tunnel.catalogCloses();

      assertThat(peer.isClosedByAgent()).isTrue();
    }
  }

  @Test
  void anIpv6LiteralIsAHost() throws IOException {
    ServerSocket server;
    try {
      server = new ServerSocket(0, 50, InetAddress.ofLiteral("::1"));
    } catch (SocketException withoutIpv6) {
      org.junit.jupiter.api.Assumptions.abort("no IPv6 here: " + withoutIpv6.getMessage());
      return;
    }
    try (var six = new RawSystem(server);
        var to = Tunnel.to("http://[::1]:" + six.port())) {
      Call call = to.get("/");
      try (var peer = six.accept()) {
        assertThat(peer.readHead()).contains("Host: [::1]:" + six.port() + "\r\n");
        peer.answer("6");
        assertThat(call.answer().body()).isEqualTo("6");
      }
    }
  }
}
