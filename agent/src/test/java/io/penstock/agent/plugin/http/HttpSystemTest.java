package io.penstock.agent.plugin.http;

import static io.penstock.agent.mock.SessionPair.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.AsciiString;
import io.penstock.agent.mock.Call;
import io.penstock.agent.mock.RawSystem;
import io.penstock.agent.mock.SessionPair;
import io.penstock.agent.mock.TestCa;
import io.penstock.agent.plugin.SystemCatalog;
import io.penstock.agent.plugin.SystemDefinition;
import io.penstock.codec.Deadlines;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.StreamKind;
import io.penstock.codec.message.ControlMessage.Allow;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpSystemTest {
  private static final Deadlines USUAL = Deadlines.DEFAULT;
  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  private final List<AutoCloseable> opened = new ArrayList<>();
  private EventLoopGroup group;
  private EventLoop loop;
  @TempDir private Path directory;

  @BeforeEach
  void start() {
    group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    loop = group.next();
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable it : opened) {
      it.close();
    }
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
  }

  private RawSystem system(RawSystem.Script script) throws Exception {
    var system = new RawSystem(script);
    opened.add(system);
    return system;
  }

  private SessionPair tunnel(RawSystem system) throws Exception {
    return tunnel("{\"base_url\":\"http://127.0.0.1:" + system.port() + "/base/\"}");
  }

  private SessionPair tunnel(String settings) throws Exception {
    return tunnel(settings, List.of(new Allow(List.of("*"), List.of("/**"))));
  }

  private SessionPair tunnel(String settings, List<Allow> allow) throws Exception {
    JsonNode json = new ObjectMapper().readTree(settings);
    var catalog =
        new SystemCatalog(
            List.of(new SystemDefinition("erp", "http", json, allow)),
            Optional.empty(),
            loop,
            NioSocketChannel.class);
    return new SessionPair(loop, catalog::open);
  }

  private static RawSystem.Script answering(String answer) {
    return peer -> {
      while (true) {
        peer.readHead();
        peer.write(answer);
      }
    };
  }

  private static String lines(String... lines) {
    return String.join("\r\n", lines);
  }

  private static Call get(SessionPair tunnel, String path) {
    return tunnel.call(request("GET", path), USUAL, true);
  }

  @Test
  void writesTheRequestAnewWithTheSystemsOwnHost() throws Exception {
    RawSystem system = system(answering(OK));
    Call call =
        tunnel(system)
            .call(
                request(
                    "GET", "/a/b%20c?x=1&y=%2f",
                    "Host", "cloud.example",
                    "Accept", "text/plain",
                    "Connection", "keep-alive, X-Gone",
                    "X-Gone", "1",
                    "Keep-Alive", "timeout=5",
                    "Proxy-Authorization", "secret",
                    "Traceparent", "forged",
                    "Penstock-Caller", "forged",
                    "Cookie", "a=b"),
                USUAL,
                true);

    assertThat(call.body()).isEqualTo("ok");
    assertThat(system.requests().getFirst())
        .isEqualTo(
            "GET /base/a/b%20c?x=1&y=%2f HTTP/1.1\r\n"
                + "Host: 127.0.0.1:"
                + system.port()
                + "\r\nTraceparent: 00-00000000000000030000000000000004-0000000000000005-01\r\n"
                + "Penstock-Request-Id: 00000000000000010000000000000002\r\n"
                + "Penstock-Caller: svc\r\nAccept: text/plain\r\nCookie: a=b\r\n\r\n");
  }

  @Test
  void passesTheAnswerWithoutWhatEndsAtThisHop() throws Exception {
    RawSystem system =
        system(
            answering(
                lines(
                    "HTTP/1.1 302 Found",
                    "Connection: x-gone",
                    "X-Gone: 1",
                    "Keep-Alive: timeout=5",
                    "Location: http://inside/x",
                    "Set-Cookie: a=1",
                    "Set-Cookie: b=2",
                    "Content-Encoding: gzip",
                    "Content-Length: 3",
                    "",
                    "abc")));
    Call call = get(tunnel(system), "/");

    assertThat(call.body()).isEqualTo("abc");
    assertThat(call.head().status()).isEqualTo(302);
    assertThat(call.field("location")).isEqualTo("http://inside/x");
    assertThat(call.field("set-cookie")).isEqualTo("a=1|b=2");
    assertThat(call.field("content-encoding")).isEqualTo("gzip");
    assertThat(call.field("x-gone") + call.field("connection") + call.field("keep-alive"))
        .isEmpty();
    assertThat(call.frames()).containsExactly("HEAD 302", "TIMING", "DATA END");
  }

  @Test
  void usesOneConnectionForCallsInARow() throws Exception {
    RawSystem system = system(answering(OK));
    SessionPair tunnel = tunnel(system);

    for (int i = 0; i < 20; i++) {
      assertThat(get(tunnel, "/" + i).body()).isEqualTo("ok");
    }

    assertThat(system.connections()).isEqualTo(1);
  }

  @Test
  void sendsABodyOfKnownLengthAsItIs() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + peer.read(11));
            });
    Call call = tunnel(system).call(request("POST", "/x", "Content-Length", "11"), USUAL, false);
    call.send("hello ", false).send("world", true);

    assertThat(call.body()).isEqualTo("hello world");
    assertThat(system.requests().getFirst())
        .contains("\r\nContent-Length: 11\r\n")
        .doesNotContain("Transfer-Encoding");
  }

  @Test
  void sendsABodyOfUnknownLengthInChunksWithTrailers() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              String body = peer.readChunked();
              peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            });
    Call call =
        tunnel(system)
            .call(request("PUT", "/x", "Transfer-Encoding", "gzip, chunked"), USUAL, false);
    call.send("hello", false);
    call.sendTrailers(new Fields().add(AsciiString.of("x-sum"), AsciiString.of("7")));

    assertThat(call.body()).isEqualTo("5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n");
    assertThat(system.requests().getFirst())
        .contains("\r\nTransfer-Encoding: chunked\r\n")
        .doesNotContain("gzip");
  }

  @Test
  void saysThatAPostHasNoBody() throws Exception {
    RawSystem system = system(answering(OK));

    assertThat(tunnel(system).call(request("POST", "/x"), USUAL, true).ended()).isEqualTo("END");
    assertThat(system.requests().getFirst()).contains("\r\nContent-Length: 0\r\n");
  }

  @Test
  void endsTheCallWhenItsBodyIsLongerOrShorterThanSaid() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.awaitClose();
            });
    SessionPair tunnel = tunnel(system);
    Call longer = tunnel.call(request("POST", "/x", "Content-Length", "3"), USUAL, false);
    longer.send("four", true);
    Call shorter = tunnel.call(request("POST", "/x", "Content-Length", "3"), USUAL, false);
    shorter.send("tw", true);

    assertThat(longer.ended()).startsWith("RESET BAD_REQUEST");
    assertThat(shorter.ended()).startsWith("RESET BAD_REQUEST");
  }

  @Test
  void passesInterimAnswersAndTrailers() throws Exception {
    RawSystem system =
        system(
            answering(
                lines(
                    "HTTP/1.1 103 Early Hints",
                    "Link: </a>",
                    "",
                    "HTTP/1.1 200 OK",
                    "Transfer-Encoding: chunked",
                    "",
                    "3",
                    "abc",
                    "0",
                    "X-Sum: 9",
                    "",
                    "")));
    Call call = get(tunnel(system), "/");

    assertThat(call.body()).isEqualTo("abc");
    assertThat(call.frames())
        .containsSubsequence("HEAD 103", "HEAD 200", "DATA", "TIMING", "TRAILERS X-Sum=9");
    assertThat(call.field("transfer-encoding")).isEmpty();
  }

  @Test
  void lets100ContinueThrough() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write("HTTP/1.1 100 Continue\r\n\r\n");
              peer.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + peer.read(4));
            });
    Call call =
        tunnel(system)
            .call(
                request("POST", "/", "Expect", "100-continue", "Content-Length", "4"),
                USUAL,
                false);
    call.send("data", true);

    assertThat(call.body()).isEqualTo("data");
    assertThat(call.frames()).startsWith("HEAD 100", "HEAD 200");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"
      })
  void knowsAnswersWithoutBody(String answer) throws Exception {
    SessionPair tunnel = tunnel(system(answering(answer)));

    assertThat(get(tunnel, "/").body()).isEmpty();
    assertThat(get(tunnel, "/").body()).isEmpty();
  }

  @Test
  void knowsThatHeadHasNoBody() throws Exception {
    RawSystem system = system(answering("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"));
    SessionPair tunnel = tunnel(system);

    for (int i = 0; i < 2; i++) {
      Call call = tunnel.call(request("HEAD", "/"), USUAL, true);
      assertThat(call.body()).isEmpty();
      assertThat(call.field("content-length")).isEqualTo("77");
    }
    assertThat(system.connections()).isEqualTo(1);
  }

  @Test
  void endsABodyThatOnlyTheCloseEnds() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write("HTTP/1.0 200 OK\r\n\r\nuntil close");
            });
    Call call = get(tunnel(system), "/");

    assertThat(call.ended()).isEqualTo("END");
    assertThat(call.body()).isEqualTo("until close");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n"
      })
  void neverEndsAnAnswerThatTheSystemCut(String answer) throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write(answer);
            });
    Call call = get(tunnel(system), "/");

    assertThat(call.ended()).isEqualTo("RESET SYSTEM_CLOSED");
    assertThat(call.frames()).doesNotContain("DATA END");
  }

  @Test
  void neverEndsAnAnswerWhoseConnectionWasReset() throws Exception {
    var seen = new CountDownLatch(1);
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write("HTTP/1.1 200 OK\r\n\r\nuntil clo");
              seen.await();
              peer.abort();
            });
    Call call = get(tunnel(system), "/");
    await(() -> call.bodyBytes() == 9);
    seen.countDown();

    assertThat(call.ended()).isEqualTo("RESET SYSTEM_CLOSED");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "garbage\r\n\r\n"
      })
  void refusesAnAnswerWithTwoReadings(String answer) throws Exception {
    assertThat(get(tunnel(system(answering(answer))), "/").ended()).isEqualTo("RESET BAD_ANSWER");
  }

  @Test
  void triesAgainOnAFreshConnectionWhenAUsedOneHadGoneStale() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write(OK);
              if (peer.number() == 1) {
                // Takes the next request and dies without a word.
                peer.readHead();
                peer.abort();
                return;
              }
              peer.awaitClose();
            });
    SessionPair tunnel = tunnel(system);
    assertThat(get(tunnel, "/1").body()).isEqualTo("ok");

    assertThat(get(tunnel, "/2").body()).isEqualTo("ok");
    assertThat(system.requests()).filteredOn(it -> it.startsWith("GET /base/2 ")).hasSize(2);
    assertThat(system.connections()).isEqualTo(2);
  }

  @Test
  void neverSendsAPostTwice() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write(OK);
              peer.readHead();
              peer.abort();
            });
    SessionPair tunnel = tunnel(system);
    assertThat(get(tunnel, "/1").body()).isEqualTo("ok");

    assertThat(tunnel.call(request("POST", "/2"), USUAL, true).ended())
        .isEqualTo("RESET SYSTEM_CLOSED");
    assertThat(system.requests()).filteredOn(it -> it.startsWith("POST")).hasSize(1);
  }

  @Test
  void doesNotTryAgainOnAFreshConnection() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.abort();
            });

    assertThat(get(tunnel(system), "/").ended()).isEqualTo("RESET SYSTEM_CLOSED");
    assertThat(system.requests()).hasSize(1);
  }

  @Test
  void saysThatARefusedConnectionLeftTheSystemUntouched() throws Exception {
    int port;
    try (var closed = new ServerSocket(0)) {
      port = closed.getLocalPort();
    }

    assertThat(get(tunnel("{\"base_url\":\"http://127.0.0.1:" + port + "\"}"), "/").ended())
        .isEqualTo("RESET CONNECT_FAILED untouched");
  }

  @Test
  void saysThatAnUnknownHostLeftTheSystemUntouched() throws Exception {
    assertThat(get(tunnel("{\"base_url\":\"http://no-such-host.invalid\"}"), "/").ended())
        .isEqualTo("RESET CONNECT_FAILED untouched");
  }

  @Test
  void keepsTheFirstByteDeadline() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.awaitClose();
            });

    Call call = tunnel(system).call(request("GET", "/"), new Deadlines(1000, 200, 0, 0), true);

    assertThat(call.ended()).isEqualTo("RESET DEADLINE");
  }

  @Test
  void keepsTheIdleDeadlineWithinAnAnswer() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
              peer.awaitClose();
            });

    Call call = tunnel(system).call(request("GET", "/"), new Deadlines(1000, 5000, 200, 0), true);

    assertThat(call.ended()).isEqualTo("RESET DEADLINE");
    assertThat(call.bodyBytes()).isEqualTo(4);
  }

  @Test
  void keepsTheTotalDeadlineWhileBytesFlow() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write("HTTP/1.1 200 OK\r\n\r\n");
              while (true) {
                peer.write("tick");
                Thread.onSpinWait();
              }
            });

    Call call =
        tunnel(system).call(request("GET", "/"), new Deadlines(1000, 5000, 5000, 300), true);
    call.dropBody();

    assertThat(call.ended()).isEqualTo("RESET DEADLINE");
  }

  @Test
  void keepsTheConnectDeadlineWhileItWaitsForAConnection() throws Exception {
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.awaitClose();
            });
    SessionPair tunnel =
        tunnel("{\"base_url\":\"http://127.0.0.1:" + system.port() + "\",\"max_connections\":1}");
    Call holds = get(tunnel, "/1");

    Call waits = tunnel.call(request("GET", "/2"), new Deadlines(200, 5000, 5000, 0), true);

    assertThat(waits.ended()).isEqualTo("RESET OVERLOADED untouched");
    assertThat(holds.isEnded()).isFalse();
  }

  @Test
  void refusesMoreCallsThanMayWait() throws Exception {
    var release = new CountDownLatch(1);
    RawSystem system =
        system(
            peer -> {
              while (true) {
                peer.readHead();
                release.await();
                peer.write(OK);
              }
            });
    SessionPair tunnel =
        tunnel(
            "{\"base_url\":\"http://127.0.0.1:"
                + system.port()
                + "\",\"max_connections\":2,\"max_waiting\":3}");
    var calls = new ArrayList<Call>();
    for (int i = 0; i < 6; i++) {
      calls.add(get(tunnel, "/" + i));
    }

    assertThat(calls.getLast().ended()).isEqualTo("RESET OVERLOADED untouched");
    release.countDown();
    for (Call call : calls.subList(0, 5)) {
      assertThat(call.ended()).isEqualTo("END");
    }
    assertThat(system.connections()).isEqualTo(2);
  }

  @Test
  void finishesAnEarlyAnswerAndStopsTheRequest() throws Exception {
    RawSystem system =
        system(
            peer -> {
              if (peer.readHead().startsWith("GET")) {
                peer.write(OK);
                return;
              }
              peer.skip(10_000);
              peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
              peer.awaitClose();
            });
    SessionPair tunnel = tunnel(system);
    Call call = tunnel.call(request("POST", "/x", "Content-Length", "9999999999"), USUAL, false);
    call.sendEndlessly(new byte[4096]);

    assertThat(call.body()).isEqualTo("big");
    assertThat(call.head().status()).isEqualTo(413);
    await(() -> call.frames().contains("RESET NO_ERROR"));
    assertThat(get(tunnel, "/next").head().status()).isEqualTo(200);
    assertThat(system.connections()).isEqualTo(2);
  }

  @Test
  void stopsReadingTheSystemWhileTheCallerDoesNotRead() throws Exception {
    var written = new java.util.concurrent.atomic.AtomicLong();
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              peer.write("HTTP/1.1 200 OK\r\n\r\n");
              byte[] chunk = new byte[64 * 1024];
              for (int i = 0; i < 500; i++) {
                peer.write(chunk);
                written.addAndGet(chunk.length);
              }
            });
    SessionPair tunnel = tunnel(system);
    Call call = tunnel.callOfNonReader("/").dropBody();
    call.head();
    long settled = settle(written::get);

    // Credit, what lies in our queue, and what the kernel buffers of two sockets hold.
    assertThat(settled).isLessThan(16L << 20);
    assertThat(call.bodyBytes()).isLessThanOrEqualTo(32 * 1024);
    call.resumeReading();
    assertThat(call.ended()).isEqualTo("END");
    assertThat(written.get()).isEqualTo(500L * 64 * 1024);
    assertThat(call.bodyBytes()).isEqualTo(written.get());
  }

  @Test
  void takesNoMoreOfTheRequestThanTheSystemReads() throws Exception {
    var go = new CountDownLatch(1);
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              go.await();
              peer.skip(24L << 20);
              peer.write(OK);
            });
    SessionPair tunnel = tunnel(system);
    Call call = tunnel.call(request("POST", "/", "Content-Length", "999999999999"), USUAL, false);
    call.sendEndlessly(new byte[16 * 1024]);
    long settled = settle(call::sentBytes);

    assertThat(settled).isLessThan(16L << 20);
    go.countDown();
    assertThat(call.body()).isEqualTo("ok");
    assertThat(call.sentBytes()).isGreaterThanOrEqualTo(24L << 20);
  }

  @Test
  void closesTheConnectionOfACallerWhoWentAway() throws Exception {
    var closed = new CountDownLatch(1);
    var asked = new CountDownLatch(1);
    RawSystem system =
        system(
            peer -> {
              peer.readHead();
              asked.countDown();
              peer.awaitClose();
              closed.countDown();
            });
    Call call = get(tunnel(system), "/");
    assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();

    call.reset(ErrorCode.CANCELLED);

    assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void opensNothingForACallThatWasResetInTheSameTick() throws Exception {
    RawSystem system = system(answering(OK));
    SessionPair tunnel =
        tunnel("{\"base_url\":\"http://127.0.0.1:" + system.port() + "\",\"max_connections\":1}");
    Call first = get(tunnel, "/1");
    // From the event loop, so that no tick ends between the OPEN and the RESET.
    Call second =
        tunnel
            .eventLoop()
            .submit(() -> get(tunnel, "/2").reset(ErrorCode.CANCELLED))
            .get(10, TimeUnit.SECONDS);

    assertThat(first.body()).isEqualTo("ok");
    assertThat(get(tunnel, "/3").body()).isEqualTo("ok");
    assertThat(second.isEnded()).isFalse();
    assertThat(system.requests()).noneMatch(it -> it.startsWith("GET /2 "));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a/../b", "/a//b", "/%2e%2e/x", "/a%2fb", "/a\\b", "nothing", "/a#b"})
  void refusesPathsThatCanBeReadInTwoWays(String path) throws Exception {
    RawSystem system = system(answering(OK));

    assertThat(get(tunnel(system), path).ended()).isEqualTo("RESET BAD_REQUEST untouched");
    assertThat(system.connections()).isZero();
  }

  @Test
  void decidesByItsOwnRules() throws Exception {
    RawSystem system = system(answering(OK));
    SessionPair tunnel =
        tunnel(
            "{\"base_url\":\"http://127.0.0.1:" + system.port() + "\"}",
            List.of(new Allow(List.of("GET"), List.of("/api/**"))));

    assertThat(get(tunnel, "/api/x").body()).isEqualTo("ok");
    assertThat(get(tunnel, "/other").ended()).isEqualTo("RESET NOT_EXPOSED untouched");
    assertThat(tunnel.call(request("POST", "/api/x"), USUAL, true).ended())
        .isEqualTo("RESET NOT_EXPOSED untouched");
    assertThat(
            tunnel
                .call(StreamKind.HTTP, "mes", "svc", request("GET", "/api/x"), USUAL, true)
                .ended())
        .isEqualTo("RESET UNKNOWN_TARGET untouched");
    assertThat(
            tunnel
                .call(StreamKind.WEBSOCKET, "erp", "svc", request("GET", "/api/x"), USUAL, true)
                .ended())
        .isEqualTo("RESET BAD_REQUEST untouched");
  }

  @Test
  void refusesACallerOrFieldThatWouldBreakTheHead() throws Exception {
    RawSystem system = system(answering(OK));
    SessionPair tunnel = tunnel(system);

    assertThat(
            tunnel
                .call(StreamKind.HTTP, "erp", "x\r\nEvil: 1", request("GET", "/"), USUAL, true)
                .ended())
        .isEqualTo("RESET BAD_REQUEST untouched");
    assertThat(tunnel.call(request("GET /x HTTP/1.1\r\nA:", "/"), USUAL, true).ended())
        .isEqualTo("RESET BAD_REQUEST untouched");
    assertThat(system.connections()).isZero();
  }

  @Test
  void speaksTlsToASystemOfItsCa() throws Exception {
    var ca = new TestCa("plant");
    var system = new RawSystem(ca.serverSocket("localhost"), answering(OK));
    opened.add(system);
    Path pem = ca.writePem(directory.resolve("ca.pem"));
    SessionPair tunnel =
        tunnel(
            "{\"base_url\":\"https://localhost:"
                + system.port()
                + "\",\"ca_file\":\""
                + pem
                + "\"}");

    assertThat(get(tunnel, "/").body()).isEqualTo("ok");
    assertThat(get(tunnel, "/").body()).isEqualTo("ok");
    assertThat(system.connections()).isEqualTo(1);
  }

  @Test
  void doesNotSpeakToASystemOfAnotherCa() throws Exception {
    var system = new RawSystem(new TestCa("other").serverSocket("localhost"), answering(OK));
    opened.add(system);
    Path pem = new TestCa("plant").writePem(directory.resolve("ca.pem"));
    SessionPair tunnel =
        tunnel(
            "{\"base_url\":\"https://localhost:"
                + system.port()
                + "\",\"ca_file\":\""
                + pem
                + "\"}");

    assertThat(get(tunnel, "/").ended()).isEqualTo("RESET CONNECT_FAILED untouched");
    assertThat(system.requests()).isEmpty();
  }

  @Test
  void leavesNothingBehind() throws Exception {
    RawSystem system = system(answering(OK));
    SessionPair tunnel = tunnel(system);
    for (int i = 0; i < 200; i++) {
      assertThat(get(tunnel, "/").ended()).isEqualTo("END");
    }

    await(() -> loop.submit(tunnel::agentStreams).get(5, TimeUnit.SECONDS) == 0);
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(Condition condition) throws Exception {
    long until = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!condition.holds()) {
      assertThat(System.nanoTime()).isLessThan(until);
      Thread.onSpinWait();
    }
  }

  /// The figure once it has not moved for a while.
  private static long settle(java.util.function.LongSupplier figure) throws Exception {
    long last = -1;
    long sinceNanos = System.nanoTime();
    while (System.nanoTime() - sinceNanos < Duration.ofMillis(500).toNanos()) {
      long now = figure.getAsLong();
      if (now != last) {
        last = now;
        sinceNanos = System.nanoTime();
      }
      Thread.onSpinWait();
    }
    return last;
  }
}
