package io.penstock.agent.plugin.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.StreamKind;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a system reads of a call.
@Timeout(30)
class RequestTest {
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

  @Test
  void writesTheSystemsHostAndOurFields() throws IOException {
    tunnel.get("/a/b?c=%20d", "Accept", "text/html");

    try (var peer = system.accept()) {
      assertThat(peer.readHead())
          .isEqualTo(
              "GET /a/b?c=%20d HTTP/1.1\r\n"
                  + ("Host: 127.0.0.1:" + system.port() + "\r\n")
                  + "Traceparent: 00-00000000000000030000000000000004-0000000000000005-01\r\n"
                  + "Penstock-Request-Id: 00000000000000010000000000000002\r\n"
                  + "Penstock-Caller: alice\r\n"
                  + "Accept: text/html\r\n"
                  + "\r\n");
    }
  }

  @Test
  void replacesOursAndDropsWhatEndsAtThisHop() throws IOException {
    tunnel.get(
        "/",
        "Host",
        "evil.example",
        "traceparent",
        "00-forged",
        "Penstock-Caller",
        "root",
        "penstock-anything",
        "x",
        "Connection",
        "close, X-Secret",
        "x-secret",
        "1",
        "Keep-Alive",
        "5",
        "TE",
        "gzip",
        "Upgrade",
        "websocket",
        "Expect",
        "100-continue",
        "Transfer-Encoding",
        "chunked",
        "Proxy-Authorization",
        "Basic x",
        "X-Kept",
        "1");

    try (var peer = system.accept()) {
      String head = peer.readHead();
      assertThat(head).contains("X-Kept: 1\r\n").contains("Penstock-Caller: alice\r\n");
      assertThat(head.toLowerCase(Locale.ROOT))
          .doesNotContain(
              "evil", "forged", "root", "anything", "connection", "secret", "keep-alive", "te:")
          .doesNotContain("upgrade", "expect", "transfer-encoding", "proxy-");
    }
  }

  @Test
  void keepsOrderAndDuplicates() throws IOException {
    tunnel.get("/", "X-A", "1", "x-b", "2", "X-A", "3");

    try (var peer = system.accept()) {
      assertThat(peer.readHead()).endsWith("X-A: 1\r\nx-b: 2\r\nX-A: 3\r\n\r\n");
    }
  }

  @Test
  void joinsTheBasePathByteForByte() throws IOException {
    try (var based = Tunnel.to(system.url() + "/sap%20x/")) {
      based.get("/a%41/?q=/../x");

      try (var peer = system.accept()) {
        assertThat(peer.readHead()).startsWith("GET /sap%20x/a%41/?q=/../x HTTP/1.1\r\n");
      }
    }
  }

  @Test
  void sendsABodyOfGivenLengthAsItIs() throws IOException {
    Call call = tunnel.call("POST", "/", false, "Content-Length", "10");
    call.send("hello", false).send("world", true);

    try (var peer = system.accept()) {
      assertThat(peer.readHead()).contains("Content-Length: 10\r\n").doesNotContain("chunked");
      assertThat(peer.read(10)).isEqualTo("helloworld");
      peer.answer("ok");
      assertThat(call.answer().body()).isEqualTo("ok");
    }
  }

  @Test
  void sendsABodyOfUnknownLengthInChunks() throws IOException {
    Call call = tunnel.call("POST", "/", false);

    try (var peer = system.accept()) {
      assertThat(peer.readHead()).contains("Transfer-Encoding: chunked\r\n");
      call.send("hello", false);
      assertThat(peer.readUntil("hello")).isEqualTo("5\r\nhello");
      call.send("x".repeat(17), true);
      assertThat(peer.readUntil("0\r\n\r\n"))
          .isEqualTo("\r\n11\r\n" + "x".repeat(17) + "\r\n0\r\n\r\n");
    }
  }

  @Test
  void sendsTrailersAfterTheLastChunk() throws IOException {
    Call call = tunnel.call("POST", "/", false);
    call.send("hello", false).sendTrailers("X-Checksum", "abc");

    try (var peer = system.accept()) {
      peer.readHead();
      assertThat(peer.readUntil("\r\n\r\n"))
          .isEqualTo("5\r\nhello\r\n0\r\nX-Checksum: abc\r\n\r\n");
    }
  }

  @Test
  void trailersDoNotFrameOrRoute() throws IOException {
    Call call = tunnel.call("POST", "/", false);
    call.sendTrailers("Content-Length", "5");

    try (var peer = system.accept()) {
      peer.readHead();
      assertThat(peer.readUntil("\r\n\r\n")).isEqualTo("0\r\n\r\n");
    }
  }

  @Test
  void saysThatAPostHasNoBody() throws IOException {
    tunnel.call("POST", "/", true);

    try (var peer = system.accept()) {
      assertThat(peer.readHead()).contains("Content-Length: 0\r\n");
    }
  }

  @Test
  void refusesABodyLongerThanItsLength() throws IOException {
    Call call = tunnel.call("POST", "/", false, "Content-Length", "3");

    try (var peer = system.accept()) {
      peer.readHead();
      call.send("hello", false);

      assertThat(call.reset().code()).isEqualTo(ErrorCode.BAD_REQUEST);
      assertThat(peer.isClosedByAgent()).isTrue();
    }
  }

  @Test
  void refusesABodyShorterThanItsLength() throws IOException {
    Call call = tunnel.call("POST", "/", false, "Content-Length", "10");

    try (var peer = system.accept()) {
      peer.readHead();
      call.send("hello", true);

      assertThat(call.reset().code()).isEqualTo(ErrorCode.BAD_REQUEST);
      assertThat(peer.isClosedByAgent()).isTrue();
    }
  }

  @Test
  void refusesTwoLengthsUntouched() throws IOException {
    Call call = tunnel.call("POST", "/", false, "Content-Length", "3", "content-length", "3");

    assertThat(call.reset())
        .satisfies(reset -> assertThat(reset.code()).isEqualTo(ErrorCode.BAD_REQUEST))
        .satisfies(reset -> assertThat(reset.untouched()).isTrue());
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void refusesALengthThatIsNoNumber() {
    Call call = tunnel.call("POST", "/", false, "Content-Length", "+3");

    assertThat(call.reset().code()).isEqualTo(ErrorCode.BAD_REQUEST);
  }

  @Test
  void refusesAMethodThatWouldBreakTheRequestLine() {
    assertThat(tunnel.call("GET /x HTTP/1.1\r\nA:", "/", true).reset().code())
        .isEqualTo(ErrorCode.BAD_REQUEST);
    assertThat(tunnel.call("CONNECT", "/", true).reset().code()).isEqualTo(ErrorCode.BAD_REQUEST);
  }

  @Test
  void refusesACallerThatWouldAddAField() throws IOException {
    Call call =
        tunnel.open(StreamKind.HTTP, "erp", "a\r\nX: y", Deadlines.DEFAULT, "GET", "/", true);

    assertThat(call.reset().code()).isEqualTo(ErrorCode.BAD_REQUEST);
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void aSystemThatDoesNotReadIsSentNoMoreThanSocketsAndCreditHold() throws IOException {
    Call call = tunnel.call("POST", "/", false);

    try (var peer = system.accept()) {
      peer.readHead();
      byte[] block = new byte[32 * 1024];
      int blocks = 0;
      // Writable again only while the system's socket takes what came.
      while (call.isWritable() || becomesWritable(call)) {
        call.send(block, false);
        assertThat(++blocks).as("blocks of 32 KiB taken").isLessThan(2_000);
      }

      assertThat(call.isQuiet()).isTrue();
      int bytes = blocks * block.length;
      Thread.ofVirtual().start(() -> drain(peer));
      call.send(new byte[0], true);
      assertThat(call.answer().body()).as("all " + bytes + " bytes arrived").isEqualTo("done");
    }
  }

  private static boolean becomesWritable(Call call) {
    for (int i = 0; i < 200; i++) {
      if (call.isWritable()) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  private static void drain(RawSystem.Peer peer) {
    try {
      peer.skipUntil("\r\n0\r\n\r\n");
      peer.answer("done");
    } catch (IOException cut) {
      throw new IllegalStateException(cut);
    }
  }

  @Test
  void passesBytesUnchanged() throws IOException {
    byte[] every = new byte[256];
    for (int i = 0; i < every.length; i++) {
      every[i] = (byte) i;
    }
    Call call = tunnel.call("PUT", "/", false, "Content-Length", "256");
    call.send(every, true);

    try (var peer = system.accept()) {
      peer.readHead();
      byte[] read = peer.socket().getInputStream().readNBytes(256);
      assertThat(Arrays.equals(read, every)).isTrue();
    }
  }
}
