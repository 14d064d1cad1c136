package io.penstock.broker.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import io.penstock.codec.message.ControlMessage.EnrollHello;
import io.penstock.codec.message.ControlMessage.EnrollRequest;
import io.penstock.codec.message.ControlMessage.HostFacts;
import io.penstock.codec.message.ControlMessage.Pending;
import io.penstock.codec.message.Messages;
import io.penstock.codec.noise.Handshake;
import io.penstock.codec.noise.HandshakeException;
import io.penstock.codec.noise.PresharedKey;
import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.noise.Suite;
import io.penstock.codec.session.Clock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// From the upgrade request to message 3.
@Timeout(30)
class HandshakeTest {
  private static final String HOST = "broker.example:8443";
  private static final Duration FLOOR = Duration.ofMillis(250);

  private static final TunnelSettings SETTINGS = TunnelSettings.DEFAULTS.withHandshakes(6, 4);
  private static final TunnelSettings HASTY =
      new TunnelSettings(6, 4, 100, 1_024, Duration.ofMillis(500), FLOOR);

  private TunnelWorld world;

  @BeforeEach
  void start() throws Exception {
    world = new TunnelWorld(SETTINGS, Clock.SYSTEM);
  }

  @AfterEach
  void stop() {
    world.close();
  }

  // The upgrade.

  @Test
  void upgradeNamesTheSubprotocolAndNoExtension() throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      String answer =
          peer.upgrade(
              "other, penstock.v1.xxhfs",
              HOST,
              "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");

      assertThat(answer.toLowerCase(Locale.ROOT))
          .startsWith("http/1.1 101")
          .contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n")
          .contains("sec-websocket-protocol: penstock.v1.xxhfs\r\n")
          .doesNotContain("extensions");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "penstock.v2.xxhfs", "penstock.v1.xx", "penstock.v1.XXHFS", "penstock.v1"})
  void otherSubprotocolsAreRefused(String subprotocol) throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      assertThat(peer.upgrade(subprotocol)).startsWith("HTTP/1.1 400 ");
      peer.awaitEnd();
    }
    assertThat(world.endpoint.counters().refusedRequests()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // method, upgrade, version, key, body
    "GET,  none,      13, dGhlIHNhbXBsZSBub25jZQ==, ''",
    "POST, websocket, 13, dGhlIHNhbXBsZSBub25jZQ==, ''",
    "GET,  h2c,       13, dGhlIHNhbXBsZSBub25jZQ==, ''",
    "GET,  websocket, 8,  dGhlIHNhbXBsZSBub25jZQ==, ''",
    "GET,  websocket, 13, dGhlIHNhbXBsZQ==,         ''",
    "GET,  websocket, 13, '???',                    ''",
    "GET,  websocket, 13, dGhlIHNhbXBsZSBub25jZQ==, x",
  })
  void whatIsNoUpgradeIsRefused(
      String method, String upgrade, String version, String key, String body) throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      peer.text(request(method, upgrade, version, key, body.length()) + body);

      assertThat(peer.head()).startsWith("HTTP/1.1 400 ");
      peer.awaitEnd();
    }
  }

  private static String request(
      String method, String upgrade, String version, String key, int bodyBytes) {
    return String.join(
        "\r\n",
        method + " /tunnel/v1 HTTP/1.1",
        "Host: " + HOST,
        "Connection: upgrade",
        "Upgrade: " + upgrade,
        "Content-Length: " + bodyBytes,
        "Sec-WebSocket-Version: " + version,
        "Sec-WebSocket-Key: " + key,
        "Sec-WebSocket-Protocol: penstock.v1.xxhfs",
        "",
        "");
  }

  @Test
  void messageThatArrivesWithTheRequestIsNotLost() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      Handshake handshake = connectHandshake(agent.dev);
      String request = request("GET", "websocket", "13", "dGhlIHNhbXBsZSBub25jZQ==", 0);
      byte[] first = RawPeer.masked(RawPeer.BINARY, handshake.writeMessage(new byte[0]));
      agent.peer.text(request + new String(first, StandardCharsets.ISO_8859_1));

      agent.peer.head();
      assertThat(handshake.readMessage(agent.peer.read().payload())).isNotEmpty();
    }
  }

  // Limits.

  @Test
  void handshakesOfOneAddressAreLimited() throws Exception {
    var peers = new ArrayList<RawPeer>();
    for (int i = 0; i < 4; i++) {
      peers.add(RawPeer.dial(world.port));
      assertThat(peers.getLast().upgrade(Protocol.SUBPROTOCOL_CONNECT)).startsWith("HTTP/1.1 101");
    }
    try (RawPeer late = RawPeer.dial(world.port)) {
      String answer = late.upgrade(Protocol.SUBPROTOCOL_CONNECT);

      assertThat(answer).startsWith("HTTP/1.1 503 ").containsIgnoringCase("retry-after: 1\r\n");
    }
    for (RawPeer peer : peers) {
      peer.close();
    }
    world.await(() -> world.endpoint.counters().open() == 0);
    try (RawPeer again = RawPeer.dial(world.port)) {
      assertThat(again.upgrade(Protocol.SUBPROTOCOL_CONNECT)).startsWith("HTTP/1.1 101");
    }
    assertThat(world.endpoint.counters().refusedForLoad()).isEqualTo(1);
  }

  @Test
  void liveTunnelsDoNotCountAsHandshakes() throws Exception {
    var agents = new ArrayList<MockAgent>();
    for (int i = 0; i < 8; i++) {
      agents.add(MockAgent.admitted(world.port, "a" + i));
    }

    world.await(() -> world.sessions.list().size() == 8);
    for (MockAgent agent : agents) {
      agent.close();
    }
  }

  @Test
  void handshakeThatTakesTooLongIsClosed() throws Exception {
    try (TunnelWorld hasty = new TunnelWorld(HASTY, Clock.SYSTEM);
        RawPeer peer = RawPeer.dial(hasty.port)) {
      peer.upgrade(Protocol.SUBPROTOCOL_CONNECT);

      RawPeer.Received close = peer.read();

      assertThat(close.status()).isEqualTo(1008);
      peer.awaitEnd();
      assertThat(hasty.endpoint.counters().handshakesTimedOut()).isEqualTo(1);
    }
  }

  @Test
  void slowAgentIsClosedBeforeMessageThreeToo() throws Exception {
    TunnelSettings settings = new TunnelSettings(6, 4, 100, 1_024, Duration.ofSeconds(2), FLOOR);
    try (TunnelWorld hasty = new TunnelWorld(settings, Clock.SYSTEM);
        MockAgent agent = MockAgent.dial(hasty.port)) {
      agent.peer.upgrade(Protocol.SUBPROTOCOL_CONNECT, HOST, "");
      agent.peer.frame(RawPeer.BINARY, connectHandshake(agent.dev).writeMessage(new byte[0]));
      assertThat(agent.peer.read().firstByte()).isEqualTo(RawPeer.BINARY);

      assertThat(agent.peer.read().status()).isEqualTo(1008);
    }
  }

  @Test
  void moreThanEightKibibytesAreRefusedWithoutReadingThem() throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      peer.upgrade(Protocol.SUBPROTOCOL_CONNECT);
      byte[] frame = RawPeer.masked(RawPeer.BINARY, new byte[60_000]);
      peer.bytes(Arrays.copyOf(frame, 8));

      assertThat(peer.read().status()).isEqualTo(1009);
    }
  }

  @Test
  void textFrameIsRefused() throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      peer.upgrade(Protocol.SUBPROTOCOL_CONNECT);
      peer.frame(0x81, (byte) 'x');

      assertThat(peer.read().status()).isEqualTo(1003);
      peer.frame(RawPeer.CLOSE, (byte) 3, (byte) 235);
      peer.awaitEnd();
    }
    assertThat(world.endpoint.counters().violations()).isEqualTo(1);
  }

  @Test
  void unmaskedFrameIsRefused() throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      peer.upgrade(Protocol.SUBPROTOCOL_CONNECT);
      peer.bytes((byte) RawPeer.BINARY, (byte) 1, (byte) 1);

      assertThat(peer.read().status()).isEqualTo(1002);
    }
  }

  @Test
  void webSocketPingIsAnswered() throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      peer.upgrade(Protocol.SUBPROTOCOL_CONNECT);
      peer.frame(RawPeer.PING, (byte) 1, (byte) 2);

      RawPeer.Received pong = peer.read();

      assertThat(pong.firstByte()).isEqualTo(RawPeer.PONG);
      assertThat(pong.payload()).containsExactly(1, 2);
    }
  }

  @Test
  void closeIsAnsweredWithItsStatus() throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      peer.upgrade(Protocol.SUBPROTOCOL_CONNECT);
      peer.frame(RawPeer.CLOSE, (byte) 3, (byte) 232);

      assertThat(peer.read().status()).isEqualTo(1000);
      assertThat(peer.awaitEnd()).isLessThan(Duration.ofSeconds(1));
    }
  }

  // Bad messages.

  @Test
  void everyTruncationOfMessageOneIsRefused() throws Exception {
    byte[] first = connectHandshake(StaticKeyPair.generate()).writeMessage(new byte[0]);
    for (int length : new int[] {0, 1, 31, 32, 1_000, first.length - 1}) {
      try (RawPeer peer = RawPeer.dial(world.port)) {
        peer.upgrade(Protocol.SUBPROTOCOL_CONNECT, HOST, "");
        peer.frame(RawPeer.BINARY, Arrays.copyOf(first, length));

        RawPeer.Received close = peer.read();

        assertThat(close.status()).isEqualTo(1008);
        assertThat(close.reason()).isEqualTo("HANDSHAKE");
      }
      world.await(() -> world.endpoint.counters().open() == 0);
    }
  }

  @Test
  void flippedBitsOfMessageThreeAreRefused() throws Exception {
    for (int bit : new int[] {0, 100, 400, 700, 1_200}) {
      try (MockAgent agent = MockAgent.dial(world.port)) {
        Handshake handshake = connectHandshake(agent.dev);
        agent.peer.upgrade(Protocol.SUBPROTOCOL_CONNECT, HOST, "");
        agent.peer.frame(RawPeer.BINARY, handshake.writeMessage(new byte[0]));
        handshake.readMessage(agent.peer.read().payload());
        byte[] third = handshake.writeMessage(new byte[150]);
        third[bit / 8] ^= (byte) (1 << bit % 8);
        agent.peer.frame(RawPeer.BINARY, third);

        assertThat(agent.peer.read().reason()).isEqualTo("HANDSHAKE");
      }
    }
    assertThat(world.sessions.list()).isEmpty();
  }

  @Test
  void anotherHostThanDialledBreaksTheHandshake() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      var handshake =
          Handshake.initiator(
              Suite.XXHFS,
              MockAgent.prologue(Protocol.SUBPROTOCOL_CONNECT, "evil.example"),
              agent.dev);
      agent.peer.upgrade(Protocol.SUBPROTOCOL_CONNECT, HOST, "");
      agent.peer.frame(RawPeer.BINARY, handshake.writeMessage(new byte[0]));
      byte[] second = agent.peer.read().payload();

      assertThatThrownBy(() -> handshake.readMessage(second))
          .isInstanceOf(HandshakeException.class);
    }
  }

  @Test
  void payloadOfAnotherKindInMessageThreeIsRefused() throws Exception {
    try (MockAgent agent = MockAgent.dial(world.port)) {
      agent.shake(
          Protocol.SUBPROTOCOL_CONNECT,
          connectHandshake(agent.dev),
          new byte[0],
          new Pending("a", "s", "f"));

      assertThat(agent.peer.read().reason()).isEqualTo("HANDSHAKE");
    }
  }

  // Enrollment.

  @Test
  void rightSecretReachesTheAuthority() throws Exception {
    var attempts = new CompletableFuture<TunnelAuthority.EnrollmentAttempt>();
    world.authority.enrolling =
        (attempt, channel) -> {
          attempts.complete(attempt);
          channel.send(new Pending("new", "plant", "ABCD-EFGH"));
          channel.awaitClosed(Duration.ofSeconds(10));
        };
    try (MockAgent agent = MockAgent.dial(world.port)) {
      enroll(agent, ScriptedAuthority.SECRET);

      Pending pending = agent.awaitControl(Pending.class);

      assertThat(pending.fingerprint()).isEqualTo("ABCD-EFGH");
      var attempt = attempts.get(5, TimeUnit.SECONDS);
      assertThat(attempt.request().name()).isEqualTo("new");
      assertThat(attempt.dev()).isEqualTo(agent.dev.publicKey());
      assertThat(attempt.hash()).hasSize(32).isNotEqualTo(attempt.hashBefore());
    }
    assertThat(world.authority.told).isEmpty();
  }

  @Test
  void wrongSecretIsDeniedAfterTheFloor() throws Exception {
    long start = System.nanoTime();
    try (MockAgent agent = MockAgent.dial(world.port)) {
      byte[] other = new byte[32];
      other[0] = 1;
      enroll(agent, new PresharedKey(other));

      assertDenied(agent, start);
    }
    world.await(() -> world.authority.told.contains("enrollment failed"));
  }

  @Test
  void enrollmentThatTheAuthorityDeniesLooksTheSame() throws Exception {
    world.authority.enrolling =
        (_, _) -> {
          throw new TunnelRefused(ErrorCode.ENROLL_DENIED, 0, "the token belongs to another agent");
        };
    long start = System.nanoTime();
    try (MockAgent agent = MockAgent.dial(world.port)) {
      enroll(agent, ScriptedAuthority.SECRET);

      assertDenied(agent, start);
    }
  }

  private static void assertDenied(MockAgent agent, long startNanos) throws IOException {
    RawPeer.Received close = agent.peer.read();

    assertThat(close.firstByte()).isEqualTo(RawPeer.CLOSE);
    assertThat(close.status()).isEqualTo(1008);
    assertThat(close.reason()).isEqualTo("ENROLL_DENIED");
    assertThat(Duration.ofNanos(System.nanoTime() - startNanos)).isGreaterThanOrEqualTo(FLOOR);
  }

  @Test
  void connectMessageOneWithAPayloadIsRefused() throws Exception {
    try (RawPeer peer = RawPeer.dial(world.port)) {
      peer.upgrade(Protocol.SUBPROTOCOL_CONNECT, HOST, "");
      peer.frame(
          RawPeer.BINARY, connectHandshake(StaticKeyPair.generate()).writeMessage(new byte[3]));

      assertThat(peer.read().reason()).isEqualTo("HANDSHAKE");
    }
  }

  private static Handshake connectHandshake(StaticKeyPair dev) {
    return Handshake.initiator(
        Suite.XXHFS, MockAgent.prologue(Protocol.SUBPROTOCOL_CONNECT, HOST), dev);
  }

  private static void enroll(MockAgent agent, PresharedKey psk) throws Exception {
    var handshake =
        Handshake.initiator(
            Suite.XXHFS_PSK3, MockAgent.prologue(Protocol.SUBPROTOCOL_ENROLL, HOST), agent.dev);
    handshake.psk(psk);
    agent.shake(
        Protocol.SUBPROTOCOL_ENROLL,
        handshake,
        Messages.encode(new EnrollHello(new byte[16], "test")),
        new EnrollRequest(
            "new",
            new byte[1_216],
            new byte[32],
            new byte[100],
            new HostFacts("h", "linux", "1"),
            new byte[16],
            new byte[64]));
  }
}
