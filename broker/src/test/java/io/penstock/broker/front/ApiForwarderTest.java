package io.penstock.broker.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The way to the API and back, with a web server of the kind that is really there.
@Timeout(30)
class ApiForwarderTest {
  private static final int BIG = 50_000_000;

  @TempDir Path directory;

  private final FrontWorld world = new FrontWorld();
  private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicLong bytesOut = new AtomicLong();
  private final CompletableFuture<HttpServerRequest> events = new CompletableFuture<>();
  private HttpServer api;

  @BeforeEach
  void start() throws Exception {
    Path socket = directory.resolve("api.sock");
    api =
        vertx
            .createHttpServer()
            .connectionHandler(_ -> connections.incrementAndGet())
            .requestHandler(this::answer)
            .listen(SocketAddress.domainSocketAddress(socket.toString()))
            .toCompletionStage()
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS);
    world.api(socket).start(FrontSettings.DEFAULTS);
  }

  @AfterEach
  void stop() throws Exception {
    world.close();
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private void answer(HttpServerRequest request) {
    switch (String.valueOf(request.path())) {
      case "/echo" ->
          request
              .body()
              .onSuccess(
                  body ->
                      request
                          .response()
                          .putHeader("X-Fields", fields(request))
                          .end(Buffer.buffer(request.method() + " ").appendBuffer(body)));
      case "/count" -> {
        var count = new AtomicInteger();
        request.handler(part -> count.addAndGet(part.length()));
        request.endHandler(_ -> request.response().end("" + count.get()));
      }
      case "/events" -> {
        request.response().setChunked(true).putHeader("Content-Type", "text/event-stream");
        request.response().write("data: 1\n\n");
        events.complete(request);
      }
      case "/big" -> {
        request.response().putHeader("Content-Length", "" + BIG);
        pour(request, BIG);
      }
      case "/cut" -> {
        request.response().setChunked(true);
        request.response().write("half").onSuccess(_ -> request.connection().close());
      }
      case "/die" -> request.connection().close();
      case "/close" -> request.response().putHeader("Connection", "close").end("bye");
      case "/early" -> request.response().setStatusCode(401).end("no");
      default -> request.response().setStatusCode(404).end();
    }
  }

  private void pour(HttpServerRequest request, int left) {
    int remaining = left;
    while (remaining > 0 && !request.response().writeQueueFull()) {
      int size = Math.min(remaining, 10_000);
      bytesOut.addAndGet(size);
      request.response().write(Buffer.buffer(new byte[size]));
      remaining -= size;
    }
    int rest = remaining;
    if (rest == 0) {
      request.response().end();
    } else {
      request.response().drainHandler(_ -> pour(request, rest));
    }
  }

  private static String fields(HttpServerRequest request) {
    var text = new StringBuilder();
    request
        .headers()
        .forEach(
            field ->
                text.append(field.getKey().toLowerCase(Locale.ROOT))
                    .append('=')
                    .append(field.getValue())
                    .append(' '));
    return text.toString();
  }

  @Test
  void requestAndAnswerPass() throws Exception {
    try (Client client = world.dial()) {
      client.send("POST /echo?q HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");

      Client.Response answer = client.response();

      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.body()).isEqualTo("POST hello");
    }
  }

  @Test
  void onlyTheFrontSaysWhoThePeerIs() throws Exception {
    try (Client client = world.dial()) {
      client.send(
          Client.lines(
              "GET /echo HTTP/1.1",
              "Host: h",
              "X-Forwarded-For: 1.2.3.4",
              "x-forwarded-host: evil",
              "X_Forwarded_Proto: https",
              "Forwarded: for=1.2.3.4",
              "X-Real-IP: 1.2.3.4",
              "Connection: keep-alive, X-Secret",
              "X-Secret: s",
              "TE: trailers",
              "X-Kept: k",
              "Proxy-Authorization: p"));

      String fields = client.response().field("x-fields");

      assertThat(fields.split(" "))
          .containsExactlyInAnyOrder(
              "host=h", "x-kept=k", "x-forwarded-for=127.0.0.1", "x-forwarded-proto=http");
    }
  }

  @Test
  void oneBackendConnectionServesOneClient() throws Exception {
    try (Client client = world.dial()) {
      for (int i = 0; i < 5; i++) {
        client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(client.response().body()).isEqualTo("GET ");
      }
    }
    assertThat(connections).hasValue(1);
  }

  @Test
  void serverSentEventsPassUnbuffered() throws Exception {
    try (Client client = world.dial()) {
      client.send("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.head()).contains("transfer-encoding: chunked");
      assertThat(client.chunk()).isEqualTo("data: 1\n\n");
      events.get(5, TimeUnit.SECONDS).response().write("data: 2\n\n");
      assertThat(client.chunk()).isEqualTo("data: 2\n\n");
      events.get().response().end();
      assertThat(client.chunk()).isEmpty();
      client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(client.response().body()).isEqualTo("GET ");
    }
  }

  @Test
  void apiHearsWhenTheClientLeaves() throws Exception {
    var gone = new CompletableFuture<Void>();
    try (Client client = world.dial()) {
      client.send("GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
      client.head();
      events.get(5, TimeUnit.SECONDS).connection().closeHandler(_ -> gone.complete(null));
    }

    gone.get(5, TimeUnit.SECONDS);
  }

  @Test
  void clientThatDoesNotReadStopsTheApi() throws Exception {
    try (Client client = world.dial()) {
      client.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
      client.head();
      try (Client other = world.dial()) {
        for (int i = 0; i < 50; i++) {
          other.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
          other.response();
        }
      }

      assertThat(bytesOut.get()).isLessThan(BIG / 2);
      client.send("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      assertThat(client.awaitEnd()).isGreaterThan(BIG);
    }
  }

  @Test
  void bodyUpToTheLimitPasses() throws Exception {
    int limit = FrontSettings.DEFAULTS.apiBodyBytes();
    try (Client client = world.dial()) {
      client.send("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: " + limit + "\r\n\r\n");
      client.send(new byte[limit]);

      assertThat(client.response().body()).isEqualTo("" + limit);
    }
  }

  @Test
  void announcedBodyOverTheLimitIsRefused() throws Exception {
    try (Client client = world.dial()) {
      client.send("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 2097153\r\n\r\n");

      assertThat(client.response().status()).isEqualTo(413);
      client.awaitEnd();
    }
    assertThat(world.counters().tooLarge()).isEqualTo(1);
    assertThat(connections).hasValue(0);
  }

  @Test
  void chunkedBodyOverTheLimitIsRefused() throws Exception {
    try (Client client = world.dial()) {
      client.send("POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (int i = 0; i < 33; i++) {
        client.send("10000\r\n");
        client.send(new byte[65_536]);
        client.send("\r\n");
      }

      assertThat(client.response().status()).isEqualTo(413);
      client.awaitEnd();
    }
  }

  @Test
  void expectationIsMet() throws Exception {
    try (Client client = world.dial()) {
      client.send(
          "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
      assertThat(client.head()).startsWith("http/1.1 100 ");
      client.send("ok");

      assertThat(client.response().body()).isEqualTo("POST ok");
    }
  }

  @Test
  void apiThatIsNotThereIsUnavailable() throws Exception {
    api.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    try (Client client = world.dial()) {
      client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");

      Client.Response answer = client.response();

      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.field("content-type")).isEqualTo("application/problem+json");
      assertThat(answer.body()).contains("\"status\":503").contains("request_id");
    }
    assertThat(world.counters().apiUnavailable()).isEqualTo(1);
  }

  @Test
  void apiThatDiesBeforeItsAnswerIsUnavailable() throws Exception {
    try (Client client = world.dial()) {
      client.send("GET /die HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.response().status()).isEqualTo(503);
    }
  }

  @Test
  void cutAnswerNeverLooksComplete() throws Exception {
    try (Client client = world.dial()) {
      client.send("GET /cut HTTP/1.1\r\nHost: h\r\n\r\n");
      client.head();
      assertThat(client.chunk()).isEqualTo("half");

      assertThat(client.awaitEnd()).isZero();
    }
  }

  @Test
  void closeOfTheApiIsNotTheClients() throws Exception {
    try (Client client = world.dial()) {
      client.send("GET /close HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(client.response().body()).isEqualTo("bye");
      client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.response().body()).isEqualTo("GET ");
    }
    assertThat(connections).hasValue(2);
  }

  @Test
  void earlyAnswerPassesWhileTheBodyStillComes() throws Exception {
    try (Client client = world.dial()) {
      client.send("POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
      assertThat(client.response().status()).isEqualTo(401);
      client.send("cd");
      client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.response().body()).isEqualTo("GET ");
    }
  }

  @Test
  void oldVersionGetsAnAnswerWithoutChunks() throws Exception {
    try (Client client = world.dial()) {
      client.send("GET /cut HTTP/1.0\r\nHost: h\r\n\r\n");

      assertThat(client.head()).doesNotContain("chunked");
      client.awaitEnd();
    }
  }

  @Test
  void connectionMayAlternateBetweenApiAndEdge() throws Exception {
    try (Client client = world.dial()) {
      for (int i = 0; i < 3; i++) {
        client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(client.response().body()).isEqualTo("GET ");
        client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(client.response().body()).isEqualTo("edge GET /invoke/x 0");
      }
    }
  }

  @Test
  void bodyThatStandsStillIsCut() throws IOException {
    try (FrontWorld hasty = new FrontWorld().api(directory.resolve("api.sock"))) {
      FrontSettings d = FrontSettings.DEFAULTS;
      hasty.start(
          new FrontSettings(
              d.maxConnections(),
              d.maxConnectionsPerAddress(),
              d.tlsHandshake(),
              d.head(),
              d.keepAlive(),
              d.apiBodyBytes(),
              Duration.ofMillis(100)));
      try (Client client = hasty.dial()) {
        client.send("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab");

        client.awaitEnd();
      }
      assertThat(hasty.counters().stalled()).isEqualTo(1);
    }
  }
}
