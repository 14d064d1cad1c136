package io.penstock.loadtest.target;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ExampleErpTest {
  private static ExampleErp erp;

  @BeforeAll
  static void start() {
    erp = ExampleErp.start(0);
  }

  @AfterAll
  static void stop() {
    erp.close();
  }

  private static RawConnection connect() throws IOException {
    return new RawConnection(erp.port());
  }

  @Test
  void ordersAreListedReadAndCreated() throws Exception {
    try (RawConnection connection = connect()) {
      String list = connection.get("/api/orders").body(connection.head());
      String first = connection.get("/api/orders/1").body(connection.head());
      connection.ask("POST", "/api/orders", "Content-Length: 14").send("{\"item\":\"nut\"}");
      RawConnection.Head created = connection.head();
      String order = connection.body(created);

      assertThat(list).startsWith("[{\"id\":1,");
      assertThat(first).isEqualTo("{\"id\":1,\"item\":\"bolt M8\",\"quantity\":400}");
      assertThat(created.status()).isEqualTo(201);
      assertThat(order).matches("\\{\"id\":[0-9]+,\"item\":\"nut\"}");
    }
  }

  @Test
  void theLedgerNeedsAPassword() throws Exception {
    erp.logins().set("cloud", "open sesame");
    try (RawConnection connection = connect()) {
      connection.ask("GET", "/ledger", "Authorization: Basic Y2xvdWQ6b3BlbiBzZXNhbWU=");
      RawConnection.Head known = connection.head();
      String ledger = connection.body(known);
      connection.ask("GET", "/ledger", "Authorization: Basic Y2xvdWQ6b3BlbiBzZXNhbWE=");
      RawConnection.Head unknown = connection.head();
      connection.body(unknown);

      assertThat(known.status()).isEqualTo(200);
      assertThat(ledger).isEqualTo("{\"user\":\"cloud\",\"balance\":1042}");
      assertThat(unknown.status()).isEqualTo(401);
    }
  }

  @Test
  void theBenchmarkAnswerIsOneKibOfThePattern() throws Exception {
    try (RawConnection connection = connect()) {
      for (int i = 0; i < 3; i++) {
        RawConnection.Head head = connection.get("/1k").head();

        assertThat(head.header("content-length")).isEqualTo("1024");
        assertThat(BodyPattern.mismatch(0, connection.bytes(1024), 1024)).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 65_536, 1_048_573, 30_000_000})
  void bytesAreExact(long length) throws Exception {
    try (RawConnection connection = connect()) {
      RawConnection.Head head = connection.get("/bytes/" + length).head();

      assertThat(head.header("content-length")).isEqualTo(String.valueOf(length));
      assertThat(mismatch(connection.in(), length)).isEqualTo(-1);
      assertThat(connection.get("/status/200").head().status()).isEqualTo(200);
    }
  }

  @Test
  void chunkedBytesAreExact() throws Exception {
    try (RawConnection connection = connect()) {
      RawConnection.Head head = connection.get("/chunked/3000000").head();
      byte[] body = connection.chunks();

      assertThat(head.header("transfer-encoding")).isEqualTo("chunked");
      assertThat(body).hasSize(3_000_000);
      assertThat(BodyPattern.mismatch(0, body, body.length)).isEqualTo(-1);
    }
  }

  @Test
  void aReaderThatStallsCostsNoMemoryAndLosesNothing() throws Exception {
    long length = 200_000_000;
    try (RawConnection connection = connect();
        RawConnection other = connect()) {
      connection.get("/bytes/" + length).head();

      assertThat(other.get("/1k").head().status()).isEqualTo(200);
      assertThat(io.netty.buffer.ByteBufAllocator.DEFAULT)
          .isInstanceOfSatisfying(
              io.netty.buffer.ByteBufAllocatorMetricProvider.class,
              allocator ->
                  assertThat(allocator.metric().usedDirectMemory()).isLessThan(length / 4));
      assertThat(mismatch(connection.in(), length)).isEqualTo(-1);
    }
  }

  @Test
  void headHasTheLengthAndNoBody() throws Exception {
    try (RawConnection connection = connect()) {
      connection.ask("HEAD", "/bytes/1000");
      RawConnection.Head bytes = connection.head();
      connection.ask("HEAD", "/chunked/1000");
      RawConnection.Head chunked = connection.head();
      connection.ask("HEAD", "/api/orders");
      RawConnection.Head orders = connection.head();

      assertThat(bytes.header("content-length")).isEqualTo("1000");
      assertThat(chunked.status()).isEqualTo(200);
      assertThat(orders.status()).isEqualTo(200);
      assertThat(connection.get("/error").head().status()).isEqualTo(500);
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws Exception {
    try (RawConnection connection = connect()) {
      connection.send(
          """
          GET /slow?ms=50 HTTP/1.1\r
          Host: erp\r
          \r
          GET /status/404 HTTP/1.1\r
          Host: erp\r
          \r
          GET /bytes/100000 HTTP/1.1\r
          Host: erp\r
          \r
          GET /status/204 HTTP/1.1\r
          Host: erp\r
          \r
          """);

      RawConnection.Head slow = connection.head();
      assertThat(slow.status()).isEqualTo(200);
      connection.body(slow);
      RawConnection.Head missing = connection.head();
      assertThat(missing.status()).isEqualTo(404);
      connection.body(missing);
      connection.head();
      connection.bytes(100_000);
      assertThat(connection.head().status()).isEqualTo(204);
    }
  }

  @Test
  void uploadsAreCountedAndHashed() throws Exception {
    byte[] body = new byte[5_000_000];
    BodyPattern.fill(0, body, 0, body.length);
    String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
    try (RawConnection connection = connect()) {
      connection.ask("PUT", "/upload", "Content-Length: " + body.length);
      connection.send(body);
      String sized = connection.body(connection.head());
      connection.ask("POST", "/upload?hash=crc32c", "Transfer-Encoding: chunked");
      connection.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
      String chunked = connection.body(connection.head());

      assertThat(sized).isEqualTo("{\"bytes\":5000000,\"sha256\":\"" + sha256 + "\"}");
      assertThat(chunked).isEqualTo("{\"bytes\":5,\"crc32c\":\"c450d697\"}");
    }
  }

  @Test
  void aCallerThatWaitsIsToldToContinue() throws Exception {
    try (RawConnection connection = connect()) {
      connection.ask("PUT", "/upload?hash=none", "Expect: 100-continue", "Content-Length: 2");
      RawConnection.Head interim = connection.head();
      connection.send("hi");

      assertThat(interim.statusLine()).isEqualTo("HTTP/1.1 100 Continue");
      assertThat(connection.body(connection.head())).isEqualTo("{\"bytes\":2}");
    }
  }

  @Test
  void rejectAnswersBeforeTheBodyAndCloses() throws Exception {
    try (RawConnection connection = connect()) {
      connection.ask("POST", "/reject", "Expect: 100-continue", "Content-Length: 1000000");
      RawConnection.Head head = connection.head();
      connection.body(head);

      assertThat(head.status()).isEqualTo(413);
      assertThat(head.header("connection")).isEqualTo("close");
      assertThat(connection.rest()).isEmpty();
    }
  }

  @Test
  void echoComesBackWhileItIsSent() throws Exception {
    try (RawConnection connection = connect()) {
      connection.ask(
          "POST", "/echo/x?y=z", "Transfer-Encoding: chunked", "Content-Type: text/plain");
      connection.send("5\r\nfirst\r\n");
      RawConnection.Head head = connection.head();
      int size = connection.chunkSize();
      String first = connection.text(size);
      connection.line();
      connection.send("6\r\nsecond\r\n0\r\n\r\n");
      String second = new String(connection.chunks(), UTF_8);

      assertThat(head.header("echo-target")).isEqualTo("/echo/x?y=z");
      assertThat(head.header("content-type")).isEqualTo("text/plain");
      assertThat(first).isEqualTo("first");
      assertThat(second).isEqualTo("second");
    }
  }

  @Test
  void echoReadsNoFasterThanItsCaller() throws Exception {
    byte[] body = new byte[20_000_000];
    BodyPattern.fill(0, body, 0, body.length);
    try (RawConnection connection = connect()) {
      Thread sender =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      connection.ask("POST", "/echo", "Content-Length: " + body.length);
                      connection.send(body);
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  });

      connection.head();

      assertThat(mismatch(connection.in(), body.length)).isEqualTo(-1);
      sender.join();
    }
  }

  @Test
  void slowBodyComesPieceByPiece() throws Exception {
    try (RawConnection connection = connect()) {
      connection.get("/slow-body?ms=10&chunks=3").head();

      assertThat(new String(connection.chunks(), UTF_8)).isEqualTo("chunk 0\nchunk 1\nchunk 2\n");
    }
  }

  @Test
  void cutEndsBeforeTheLengthItPromised() throws Exception {
    try (RawConnection connection = connect()) {
      RawConnection.Head head = connection.get("/cut/1000").head();

      assertThat(head.header("content-length")).isEqualTo("1000");
      assertThat(connection.rest()).hasSize(500);
    }
  }

  @Test
  void cutChunkedEndsWithoutTheLastChunk() throws Exception {
    try (RawConnection connection = connect()) {
      connection.get("/cut-chunked/1000").head();

      assertThat(new String(connection.rest(), UTF_8))
          .startsWith("1f4\r\n")
          .doesNotEndWith("0\r\n\r\n");
    }
  }

  @Test
  void serverSentEventsComeAsTheyHappen() throws Exception {
    try (RawConnection connection = connect()) {
      RawConnection.Head head = connection.get("/sse?ms=5&count=2").head();

      assertThat(head.header("content-type")).isEqualTo("text/event-stream");
      assertThat(new String(connection.chunks(), UTF_8))
          .isEqualTo(
              "id: 1\nevent: tick\ndata: {\"n\":1}\n\nid: 2\nevent: tick\ndata: {\"n\":2}\n\n");
    }
  }

  @Test
  void headersAreShownAsTheyArrived() throws Exception {
    try (RawConnection connection = connect()) {
      connection.send(
          "GET /headers?a=b HTTP/1.1\r\nhOST: erp\r\nX-Twice: 1\r\nX-Twice: \"2\"\r\n\r\n");

      assertThat(connection.body(connection.head()))
          .isEqualTo(
              "{\"method\":\"GET\",\"target\":\"/headers?a=b\",\"version\":\"HTTP/1.1\","
                  + "\"headers\":[[\"hOST\",\"erp\"],[\"X-Twice\",\"1\"],[\"X-Twice\",\"\\\"2\\\"\"]]}");
    }
  }

  @Test
  void trailersFollowTheBody() throws Exception {
    try (RawConnection connection = connect()) {
      RawConnection.Head head = connection.get("/trailers").head();
      connection.chunks();

      assertThat(head.header("trailer")).isEqualTo("Example-Checksum, Example-Status");
      assertThat(connection.line()).isEqualToIgnoringCase("Example-Checksum: abc123");
    }
  }

  @Test
  void earlyHintsComeBeforeTheAnswer() throws Exception {
    try (RawConnection connection = connect()) {
      RawConnection.Head hints = connection.get("/early-hints?ms=5").head();
      RawConnection.Head answer = connection.head();

      assertThat(hints.status()).isEqualTo(103);
      assertThat(connection.body(answer)).isEqualTo("after the hints\n");
    }
  }

  @Test
  void bigHeadIsAsBigAsAsked() throws Exception {
    try (RawConnection connection = connect()) {
      RawConnection.Head head = connection.get("/big-head/33000").head();

      assertThat(head.lines().stream().mapToInt(String::length).sum()).isBetween(33_000, 34_000);
      assertThat(connection.body(head)).isEqualTo("ok\n");
    }
  }

  @Test
  void badAnswersGoOutByteForByte() throws Exception {
    try (RawConnection connection = connect()) {
      connection.get("/bad/two-lengths");

      assertThat(new String(connection.rest(), UTF_8))
          .isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!");
    }
  }

  @Test
  void touchesAreCountedOnce() throws Exception {
    try (RawConnection connection = connect()) {
      connection.ask("POST", "/touch/once", "Content-Length: 0");
      connection.body(connection.head());

      assertThat(connection.get("/count/once").body(connection.head())).isEqualTo("{\"count\":1}");
      assertThat(erp.visits().touched("once")).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/bytes/x", "/bytes/-1", "/bytes", "/status/99", "/api/orders/x", "/slow?ms=x"})
  void whatIsNoNumberIsABadRequest(String target) throws Exception {
    try (RawConnection connection = connect()) {
      assertThat(connection.get(target).head().status()).isEqualTo(400);
    }
  }

  @Test
  void whatIsNoHttpIsAnswered400AndClosed() throws Exception {
    try (RawConnection connection = connect()) {
      connection.send("this is no HTTP\r\n\r\n");

      assertThat(connection.head().status()).isEqualTo(400);
      assertThat(connection.rest()).isEmpty();
    }
  }

  @Test
  void connectionCloseIsHonoured() throws Exception {
    try (RawConnection connection = connect()) {
      connection.ask("GET", "/1k", "Connection: close");
      RawConnection.Head head = connection.head();

      assertThat(head.header("connection")).isEqualTo("close");
      assertThat(connection.rest()).hasSize(1024);
    }
  }

  @Test
  void hangSaysNothing() throws Exception {
    try (Socket socket = new Socket(java.net.InetAddress.getLoopbackAddress(), erp.port())) {
      socket.setSoTimeout(200);
      socket.getOutputStream().write("GET /hang HTTP/1.1\r\nHost: erp\r\n\r\n".getBytes(UTF_8));

      assertThat(
              org.assertj.core.api.Assertions.catchThrowable(() -> socket.getInputStream().read()))
          .isInstanceOf(java.net.SocketTimeoutException.class);
    }
  }

  @Test
  void webSocketMessagesComeBack() throws Exception {
    CompletableFuture<String> echoed = new CompletableFuture<>();
    try (HttpClient client = HttpClient.newHttpClient()) {
      WebSocket socket =
          client
              .newWebSocketBuilder()
              .buildAsync(
                  URI.create("ws://127.0.0.1:" + erp.port() + "/ws"),
                  new WebSocket.Listener() {
                    @Override
                    public CompletionStage<?> onText(
                        WebSocket from, CharSequence text, boolean last) {
                      echoed.complete(text.toString());
                      from.request(1);
                      return CompletableFuture.completedStage(null);
                    }
                  })
              .get(10, TimeUnit.SECONDS);
      socket.sendText("over the tunnel", true).get(10, TimeUnit.SECONDS);

      assertThat(echoed.get(10, TimeUnit.SECONDS)).isEqualTo("over the tunnel");
      socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void aWebSocketPathWithoutUpgradeIsSaidSo() throws Exception {
    try (RawConnection connection = connect()) {
      assertThat(connection.get("/ws").head().status()).isEqualTo(426);
    }
  }

  /// The offset of the first wrong byte, or -1.
  private static long mismatch(InputStream in, long length) throws IOException {
    byte[] buffer = new byte[64 << 10];
    long offset = 0;
    while (offset < length) {
      int read = in.read(buffer, 0, (int) Math.min(buffer.length, length - offset));
      if (read < 0) {
        throw new EOFException("closed after " + offset);
      }
      int wrong = BodyPattern.mismatch(offset, buffer, read);
      if (wrong >= 0) {
        return offset + wrong;
      }
      offset += read;
    }
    return -1;
  }
}
