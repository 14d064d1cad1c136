package io.penstock.broker.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who gets which request, and what becomes of a connection.
@Timeout(30)
class FrontTest {
  private final FrontWorld world = new FrontWorld();

  @AfterEach
  void stop() {
    world.close();
  }

  @Test
  void invocationsGoToTheEdge() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("GET /invoke/plant/erp/x HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.response().body()).isEqualTo("edge GET /invoke/plant/erp/x 0");
    }
  }

  @Test
  void everyPathOfAnIngressHostGoesToTheEdge() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("GET /api/v1/x HTTP/1.1\r\nHost: erp.plant.ingress.example\r\n\r\n");

      assertThat(client.response().body()).isEqualTo("edge GET /api/v1/x 0");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/invoke",
        "/Invoke/plant/erp",
        "//invoke/plant/erp",
        "/./invoke/plant/erp",
        "/%69nvoke/plant/erp",
        "/tunnel/v1/",
        "/tunnel/v1?x",
        "/tunnel/v2",
        "/tunnel//v1",
        "/api/v1/agents",
        "http://h/invoke/plant/erp",
        "*"
      })
  void everythingElseGoesToTheApi(String target) throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");

      // There is no API in this test.
      assertThat(client.response().status()).isEqualTo(503);
    }
  }

  @Test
  void connectIsNotBuilt() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("CONNECT erp.plant:443 HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.response().status()).isEqualTo(501);
      client.awaitEnd();
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      var requests = new StringBuilder();
      for (int i = 0; i < 20; i++) {
        requests.append("POST /invoke/slow/").append(i);
        requests.append(" HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
      }
      client.send(requests.toString());

      for (int i = 0; i < 20; i++) {
        assertThat(client.response().body()).isEqualTo("edge POST /invoke/slow/" + i + " 3");
      }
      client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(client.response().body()).isEqualTo("edge GET /invoke/x 0");
    }
  }

  /// Lets nobody in who is, by the word of a proxy, `203.0.113.9`.
  private static final Doorkeeper KEEPER =
      new Doorkeeper() {
        @Override
        public InetAddress client(HttpRequest request, InetAddress peer) {
          String said = request.headers().get("X-Forwarded-For");
          return said == null ? peer : InetAddress.ofLiteral(said);
        }

        @Override
        public boolean admitsConnection(InetAddress peer) {
          return true;
        }

        @Override
        public boolean admits(InetAddress client, boolean agent) {
          return !client.getHostAddress().equals("203.0.113.9");
        }
      };

  @Test
  void whoIsNotLetInIsToldSoWhateverTheyWant() throws IOException {
    world.doorkeeper(KEEPER).start(FrontSettings.DEFAULTS);
    for (String path : List.of("/invoke/plant/erp/x", "/api/v1/x", "/tunnel/v1", "/")) {
      try (Client client = world.dial()) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
        Client.Response answer = client.response();
        assertThat(answer.status()).as(path).isEqualTo(403);
        assertThat(answer.field("penstock-error"))
            .as(path)
            .isEqualTo(path.startsWith("/invoke/") ? "forbidden" : "");
      }
    }
  }

  /// Where only some addresses are allowed, those that watch and those of agents are others.
  @Test
  void healthAndTunnelsAreForEveryAddress() throws IOException {
    world
        .doorkeeper(
            new Doorkeeper() {
              @Override
              public InetAddress client(HttpRequest request, InetAddress peer) {
                return peer;
              }

              @Override
              public boolean admitsConnection(InetAddress peer) {
                return true;
              }

              @Override
              public boolean admits(InetAddress client, boolean fromAnywhere) {
                return fromAnywhere;
              }
            })
        .start(FrontSettings.DEFAULTS);
    for (String path :
        List.of(
            "/health/live",
            "/api/v1/health/ready?x",
            "/tunnel/v1",
            "/api/v1/gateways/token",
            "/api/v1/gateways/gw-1/config/current?system=erp")) {
      try (Client client = world.dial()) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(client.response().status()).as(path).isNotEqualTo(403);
      }
    }
    for (String path :
        List.of(
            "/health",
            "/healthy",
            "/api/v1/x",
            "/invoke/health/x/health/",
            "/api/v1/gateways/gw-1/approve",
            "/api/v1/gateways/gw-1/approve?/proof",
            "/api/v1/gateways/../agents/proof",
            "/api/v1/gateways/a/b/proof")) {
      try (Client client = world.dial()) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(client.response().status()).as(path).isEqualTo(403);
      }
    }
  }

  /// A proxy's connection carries the requests of many.
  @Test
  void everyRequestOfAConnectionIsLookedAt() throws IOException {
    world.doorkeeper(KEEPER).start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.8\r\n\r\n");
      assertThat(client.response().status()).isEqualTo(200);
      client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
      assertThat(client.response().status()).isEqualTo(403);
    }
  }

  @Test
  void requestsAheadOfTheirTurnAreNotReadWithoutBound() {
    var services =
        new FrontServices(
            FrontSettings.DEFAULTS,
            new FrontCounters(),
            (_, _) -> new UpgradeEndpoint.Decision.Refused(400, "no", 0),
            SayingEdge::new,
            SayingEdge::new,
            _ -> false,
            Doorkeeper.OPEN,
            System::nanoTime);
    var decoder = new HttpRequestDecoder();
    var encoder = new ResponseEncoder();
    var channel = new EmbeddedChannel();
    Ticker ticker = new Ticker.Each().of(channel.eventLoop());
    channel.pipeline().addLast(decoder, encoder);
    channel.pipeline().addLast(new Dispatcher(services, ticker, decoder, encoder));

    String request = "GET /invoke/never HTTP/1.1\r\nHost: h\r\n\r\n";
    channel.writeInbound(Unpooled.copiedBuffer(request.repeat(65), StandardCharsets.US_ASCII));
    assertThat(channel.isOpen()).isTrue();
    assertThat(channel.config().isAutoRead()).isFalse();
    channel.writeInbound(Unpooled.copiedBuffer(request, StandardCharsets.US_ASCII));

    assertThat(channel.isOpen()).isFalse();
    channel.finishAndReleaseAll();
  }

  @Test
  void closeOfTheRequestClosesAfterTheAnswer() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

      assertThat(client.response().field("connection")).isEqualTo("close");
      client.awaitEnd();
    }
  }

  @Test
  void oldVersionIsClosedUnlessItAsks() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("GET /invoke/x HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
      assertThat(client.response().field("connection")).isEqualTo("keep-alive");
      client.send("GET /invoke/y HTTP/1.0\r\nHost: h\r\n\r\n");
      assertThat(client.response().body()).isEqualTo("edge GET /invoke/y 0");

      client.awaitEnd();
    }
  }

  @Test
  void answerToHeadHasNoBody() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("HEAD /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(client.head()).contains("content-length: 21");
      client.send("GET /invoke/y HTTP/1.1\r\nHost: h\r\n\r\n");

      assertThat(client.response().body()).isEqualTo("edge GET /invoke/y 0");
    }
  }

  @Test
  void malformedRequestIsAnsweredAndClosed() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client client = world.dial()) {
      client.send("GET /x HTTP/1.1\r\nHost : h\r\nX\u0001y: h\r\n\r\n");

      assertThat(client.response().status()).isEqualTo(400);
      client.awaitEnd();
    }
    assertThat(world.counters().malformed()).isEqualTo(1);
  }

  // Limits.

  @Test
  void headThatDoesNotArriveInTimeIsClosed() throws Exception {
    world.start(
        FrontSettings.DEFAULTS.withTimeouts(Duration.ofMillis(100), Duration.ofSeconds(60)));
    try (Client client = world.dial()) {
      client.send("GET /invoke/x HTTP/1.1\r\nHost");

      client.awaitEnd();
    }
    assertThat(world.counters().headTimeouts()).isEqualTo(1);
  }

  @Test
  void headAfterAnAnswerMustArriveInTimeToo() throws Exception {
    world.start(FrontSettings.DEFAULTS.withTimeouts(Duration.ofSeconds(1), Duration.ofSeconds(60)));
    try (Client client = world.dial()) {
      client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      client.response();
      client.send("GET /invoke/x HTTP/1.1\r\nHost");

      client.awaitEnd();
    }
    assertThat(world.counters().headTimeouts()).isEqualTo(1);
    assertThat(world.counters().idleTimeouts()).isZero();
  }

  @Test
  void restingConnectionIsClosed() throws Exception {
    world.start(
        FrontSettings.DEFAULTS.withTimeouts(Duration.ofSeconds(10), Duration.ofMillis(100)));
    try (Client client = world.dial()) {
      client.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      client.response();

      client.awaitEnd();
    }
    assertThat(world.counters().idleTimeouts()).isEqualTo(1);
  }

  @Test
  void connectionsOfOneAddressAreLimited() throws Exception {
    world.start(FrontSettings.DEFAULTS.withConnections(100, 3));
    var clients = new ArrayList<Client>();
    for (int i = 0; i < 3; i++) {
      clients.add(world.dial());
      clients.getLast().send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      clients.getLast().response();
    }
    try (Client late = world.dial()) {
      late.awaitEnd();
    }
    for (Client client : clients) {
      client.close();
    }
    world.await(() -> world.counters().open() == 0);
    try (Client again = world.dial()) {
      again.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(again.response().status()).isEqualTo(200);
    }
    assertThat(world.counters().overAddress()).isEqualTo(1);
  }

  @Test
  void connectionsInAllAreLimited() throws Exception {
    world.start(FrontSettings.DEFAULTS.withConnections(1, 10));
    try (Client first = world.dial()) {
      first.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      first.response();
      try (Client second = world.dial()) {
        second.awaitEnd();
      }
      first.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(first.response().status()).isEqualTo(200);
    }
    assertThat(world.counters().overTotal()).isEqualTo(1);
  }

  @Test
  void stoppedFrontAcceptsNothingNew() throws Exception {
    world.start(FrontSettings.DEFAULTS);
    try (Client open = world.dial()) {
      open.send("GET /invoke/x HTTP/1.1\r\nHost: h\r\n\r\n");
      open.response();
      world.front().stopAccepting();
      world.await(() -> !world.isAccepting());

      open.send("GET /invoke/y HTTP/1.1\r\nHost: h\r\n\r\n");
      assertThat(open.response().status()).isEqualTo(200);
    }
  }

  /// An edge that says what it got: method, target, bytes of the body. Targets with `slow` are
  /// answered later, those with `never` not at all.
  @SuppressWarnings("FutureReturnValueIgnored") // a client that leaves ends the channel
  static final class SayingEdge extends ChannelInboundHandlerAdapter {
    private String said = "";
    private int bytes;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (message instanceof HttpRequest request) {
        said = "edge " + request.method() + " " + request.uri();
        bytes = 0;
      }
      if (message instanceof HttpContent content) {
        bytes += content.content().readableBytes();
        content.release();
      }
      if (message instanceof LastHttpContent && !said.contains("never")) {
        String answer = said + " " + bytes;
        if (said.contains("slow")) {
          ctx.executor().schedule(() -> answer(ctx, answer), 5, TimeUnit.MILLISECONDS);
        } else {
          answer(ctx, answer);
        }
      }
    }

    private static void answer(ChannelHandlerContext ctx, String text) {
      var response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1,
              HttpResponseStatus.OK,
              Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
      response.headers().set("content-length", text.length());
      ctx.writeAndFlush(response, ctx.voidPromise());
    }
  }
}
