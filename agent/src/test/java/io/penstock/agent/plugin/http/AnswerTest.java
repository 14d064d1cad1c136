package io.penstock.agent.plugin.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.ErrorCode;
import java.io.IOException;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What comes back through the tunnel of what a system answers.
@Timeout(30)
class AnswerTest {
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

  private Call.Answer answerTo(String method, String bytes) throws IOException {
    Call call = tunnel.call(method, "/", true);
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write(bytes);
      return call.answer();
    }
  }

  private Call.Event.Reset resetOf(String bytes) throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write(bytes);
      Call.Event.Reset reset = call.reset();
      assertThat(peer.isClosedByAgent()).isTrue();
      return reset;
    }
  }

  private static String lines(String... lines) {
    return String.join("\r\n", lines);
  }

  @Test
  void passesStatusFieldsAndBody() throws IOException {
    Call.Answer answer =
        answerTo(
            "GET",
            lines(
                "HTTP/1.1 404 Nowhere",
                "Content-Length: 5",
                "Set-Cookie: a=1",
                "Set-Cookie: b=2",
                "",
                "hello"));

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.body()).isEqualTo("hello");
    assertThat(answer.heads().getLast().fields().count()).isEqualTo(3);
    assertThat(answer.field("content-length")).isEqualTo("5");
  }

  @Test
  void passesAChunkedBodyAndItsTrailers() throws IOException {
    Call.Answer answer =
        answerTo(
            "GET",
            lines(
                "HTTP/1.1 200 OK",
                "Transfer-Encoding: chunked",
                "Trailer: X-Sum",
                "",
                "5",
                "hello",
                "6",
                " world",
                "0",
                "X-Sum: 9",
                "",
                ""));

    assertThat(answer.body()).isEqualTo("hello world");
    assertThat(answer.field("transfer-encoding")).isNull();
    assertThat(Call.field(answer.trailers(), "x-sum")).isEqualTo("9");
  }

  @Test
  void dropsFieldsThatEndAtThisHop() throws IOException {
    Call.Answer answer =
        answerTo(
            "GET",
            lines(
                "HTTP/1.1 200 OK",
                "Connection: X-Hop",
                "X-Hop: 1",
                "Keep-Alive: timeout=5",
                "Location: http://10.0.0.1/x",
                "Content-Length: 0",
                "",
                ""));

    assertThat(answer.field("x-hop")).isNull();
    assertThat(answer.field("connection")).isNull();
    assertThat(answer.field("keep-alive")).isNull();
    assertThat(answer.field("location")).isEqualTo("http://10.0.0.1/x");
  }

  @Test
  void anAnswerWithoutBodyEndsWithItsHead() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 204 No Content\r\n\r\n");

      assertThat(call.next()).isInstanceOf(Call.Event.Timing.class);
      assertThat(call.next())
          .isInstanceOfSatisfying(Call.Event.Head.class, head -> assertThat(head.end()).isTrue());
    }
  }

  @Test
  void theAnswerToHeadHasALengthAndNoBody() throws IOException {
    Call.Answer answer = answerTo("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");

    assertThat(answer.field("content-length")).isEqualTo("1000");
    assertThat(answer.body()).isEmpty();
  }

  @Test
  void notModifiedHasNoBody() throws IOException {
    Call.Answer answer = answerTo("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");

    assertThat(answer.status()).isEqualTo(304);
    assertThat(answer.body()).isEmpty();
  }

  @Test
  void interimAnswersComeFirst() throws IOException {
    Call.Answer answer =
        answerTo(
            "GET",
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");

    assertThat(answer.heads()).extracting(head -> head.status()).containsExactly(103, 102, 200);
    assertThat(answer.body()).isEqualTo("hi");
  }

  @Test
  void anInterimAnswerDoesNotWaitForTheFinalOne() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 103 Early Hints\r\n\r\n");

      assertThat(call.head().status()).isEqualTo(103);
      peer.answer("x");
      assertThat(call.answer().body()).isEqualTo("x");
    }
  }

  @Test
  void aHeadDoesNotWaitForItsBody() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
      assertThat(call.head().status()).isEqualTo(200);

      peer.write("data: 1\n\n");
      assertThat(call.next()).isInstanceOf(Call.Event.Data.class);
    }
  }

  /// What the caller sends may wait for it.
  @Test
  void continueIsPassedOnWhileTheBodyIsStillAwaited() throws IOException {
    Call call = tunnel.call("POST", "/", false, "Content-Length", "4");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 100 Continue\r\n\r\n");
      assertThat(call.head().status()).isEqualTo(100);
      call.send("data", true);

      peer.answer(peer.read(4));
      assertThat(call.answer().body()).isEqualTo("data");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\nhello"})
  void aBodyWithoutLengthEndsWithTheConnection(String bytes) throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write(bytes);
    }

    assertThat(call.answer().body()).isEqualTo("hello");
  }

  @Test
  void aBodyWithoutLengthDoesNotEndWithAReset() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\n\r\nhello");
      assertThat(call.head().status()).isEqualTo(200);
      assertThat(call.next()).isInstanceOf(Call.Event.Data.class);
      peer.cut();
    }

    assertThat(call.next())
        .isInstanceOfSatisfying(
            Call.Event.Reset.class,
            reset -> assertThat(reset.code()).isEqualTo(ErrorCode.SYSTEM_CLOSED));
  }

  @Test
  void compressedBodiesStayCompressed() throws IOException {
    Call.Answer answer =
        answerTo(
            "GET",
            lines(
                "HTTP/1.1 200 OK",
                "Content-Encoding: gzip",
                "Content-Length: 4",
                "",
                "\u001f\u008b\b\0"));

    assertThat(answer.body()).isEqualTo("\u001f\u008b\b\0");
    assertThat(answer.field("content-encoding")).isEqualTo("gzip");
  }

  @Test
  void redirectsAreTheCallersToFollow() throws IOException {
    Call.Answer answer =
        answerTo("GET", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");

    assertThat(answer.status()).isEqualTo(302);
    assertThat(system.isLeftAlone()).isTrue();
  }

  @Test
  void stampsSayWhereTheTimeWent() throws IOException {
    Call.Answer answer = answerTo("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

    assertThat(answer.heads().getLast().systemMicros()).isPositive();
    assertThat(answer.timing().totalMicros())
        .isGreaterThanOrEqualTo(
            answer.timing().connectMicros() + answer.timing().firstByteMicros());
    assertThat(answer.timing().agentMicros()).isEqualTo(answer.heads().getLast().agentMicros());
  }

  @ParameterizedTest
  @ValueSource(strings = {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"})
  void refusesAnAnswerThatIsNoHttp(String bytes) throws IOException {
    assertThat(resetOf(bytes).code()).isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Transfer-Encoding: chunked", "Content-Length: 6"})
  void refusesAnAnswerWithTwoFramings(String second) throws IOException {
    String bytes = lines("HTTP/1.1 200 OK", "Content-Length: 5", second, "", "0", "", "");

    assertThat(resetOf(bytes).code()).isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @Test
  void refusesAHeadOverItsLimit() throws IOException {
    String field = "X-Long: " + "x".repeat(33 * 1024);
    assertThat(resetOf("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n").code())
        .isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @Test
  void refusesASwitchOfProtocols() throws IOException {
    assertThat(
            resetOf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
                .code())
        .isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @Test
  void refusesAStatusBeyondTheWires() throws IOException {
    assertThat(resetOf("HTTP/1.1 700 Odd\r\nContent-Length: 0\r\n\r\n").code())
        .isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @Test
  void malformedChunksResetTheAnswer() throws IOException {
    assertThat(
            resetOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
                .code())
        .isEqualTo(ErrorCode.BAD_ANSWER);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 10\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
      })
  void aCutBodyIsResetAndNeverEnded(String framed) throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\n" + framed);
      assertThat(call.head().status()).isEqualTo(200);
      assertThat(call.next())
          .isInstanceOfSatisfying(Call.Event.Data.class, data -> assertThat(data.end()).isFalse());
    }

    assertThat(call.next())
        .isInstanceOfSatisfying(
            Call.Event.Reset.class,
            reset -> {
              assertThat(reset.code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
              assertThat(reset.untouched()).isFalse();
            });
  }

  @Test
  void aCutHeadIsReset() throws IOException {
    Call call = tunnel.get("/");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 200 OK\r\nContent-");
      peer.cut();
    }

    assertThat(call.reset().code()).isEqualTo(ErrorCode.SYSTEM_CLOSED);
  }

  @Test
  void aCallerThatDoesNotReadStopsTheSystem() throws IOException {
    Call call = tunnel.get("/").stopReading();
    try (var peer = system.accept()) {
      peer.readHead();
      int megabytes = 64;
      Thread writer =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      peer.write(
                          "HTTP/1.1 200 OK\r\nContent-Length: "
                              + (megabytes * 1024 * 1024)
                              + "\r\n\r\n");
                      for (int i = 0; i < megabytes; i++) {
                        peer.write(new byte[1024 * 1024]);
                      }
                    } catch (IOException cut) {
                      throw new IllegalStateException(cut);
                    }
                  });
      assertThat(call.head().status()).isEqualTo(200);

      assertThat(join(writer, 500)).as("the system could write everything").isFalse();
      call.readAgain();
      assertThat(call.answerLength()).isEqualTo(megabytes * 1024 * 1024);
    }
  }

  private static boolean join(Thread writer, int ms) {
    try {
      return writer.join(java.time.Duration.ofMillis(ms));
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  @Test
  void anEarlyAnswerStopsTheRequestAndTheConnection() throws IOException {
    Call call = tunnel.call("POST", "/", false);
    call.send("hello", false);
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");

      assertThat(call.answer().status()).isEqualTo(413);
      assertThat(call.reset().code()).isEqualTo(ErrorCode.NO_ERROR);
      assertThat(peer.isClosedByAgent()).isTrue();
      assertThat(tunnel.openAtAgent()).isZero();
    }
  }

  @Test
  void anEarlyAnswerIsReadWhenTheSystemClosesAtOnce() throws IOException {
    Call call = tunnel.call("POST", "/", false);
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
    }
    call.send("x".repeat(20_000), false);

    Call.Answer answer = call.answer();
    assertThat(answer.status()).isEqualTo(413);
    assertThat(answer.body()).isEqualTo("big");
  }

  @Test
  void secondAnswersInTheSameReadReachNobody() throws IOException {
    Call first = tunnel.get("/1");
    try (var peer = system.accept()) {
      peer.readHead();
      peer.write(
          lines(
              "HTTP/1.1 200 OK",
              "Content-Length: 1",
              "",
              "1HTTP/1.1 200 OK",
              "Content-Length: 4",
              "",
              "evil"));
      assertThat(first.answer().body()).isEqualTo("1");

      Call second = tunnel.get("/2");
      assertThat(peer.isClosedByAgent()).isTrue();
      try (var fresh = system.accept()) {
        assertThat(fresh.readHead().toLowerCase(Locale.ROOT)).startsWith("get /2");
        fresh.answer("2");
        assertThat(second.answer().body()).isEqualTo("2");
      }
    }
  }
}
