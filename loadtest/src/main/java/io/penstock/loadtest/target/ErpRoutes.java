package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// What the example ERP answers, by the first segment of the path. Stateless but for orders and
/// counters; shared by all connections.
final class ErpRoutes {
  private static final String BYTES = "application/octet-stream";
  private static final int BIG_HEADER_BYTES = 4_000;
  private static final long DEFAULT_DELAY_MS = 1_000;

  /// The benchmark's answer, whole: head and 1,024 bytes.
  private static final ByteBuf ONE_KIB = oneKib();

  private final Orders orders = new Orders();
  private final Visits visits = new Visits();
  private final Logins logins = new Logins();

  Logins logins() {
    return logins;
  }

  Visits visits() {
    return visits;
  }

  /// Whether a caller that waits for 100 (Continue) gets it.
  boolean wantsBody(Exchange exchange) {
    return !exchange.segments().getFirst().equals("reject");
  }

  void answer(Exchange exchange) {
    visits.request();
    try {
      route(exchange);
    } catch (Numbers.NotANumber e) {
      exchange.json(400, "{\"error\":\"a number was expected\"}");
    }
  }

  private void route(Exchange exchange) {
    List<String> path = exchange.segments();
    switch (path.getFirst()) {
      case "1k" -> oneKib(exchange);
      case "api" -> api(exchange, path);
      case "bytes" -> bytes(exchange, number(path));
      case "chunked" ->
          exchange.stream(
              Exchange.chunked(exchange.head(200, BYTES)), ResponseBody.pattern(number(path)));
      case "upload" -> upload(exchange);
      case "slow" ->
          exchange.after(
              exchange.query("ms", DEFAULT_DELAY_MS), () -> exchange.json(200, "{\"slow\":true}"));
      case "slow-body" -> slowBody(exchange);
      case "status" -> status(exchange, number(path));
      case "error" -> exchange.json(500, "{\"error\":\"the ERP's own error\"}");
      case "hang" -> {}
      case "cut" -> cut(exchange, number(path));
      case "cut-chunked" -> cutChunked(exchange, number(path));
      case "sse" -> ServerSentEvents.answer(exchange);
      case "headers" -> exchange.json(200, headersAsJson(exchange));
      case "with-header" -> withHeader(exchange);
      case "echo" -> Echo.answer(exchange);
      case "reject" -> reject(exchange);
      case "trailers" -> trailers(exchange);
      case "early-hints" -> earlyHints(exchange);
      case "big-head" -> bigHead(exchange, number(path));
      case "bad" -> bad(exchange, path);
      case "touch" -> exchange.json(200, "{\"count\":" + visits.touch(path.getLast()) + "}");
      case "count" -> exchange.json(200, "{\"count\":" + visits.touched(path.getLast()) + "}");
      case "stats" -> exchange.json(200, "{\"requests\":" + visits.requests() + "}");
      case "ledger" -> ledger(exchange);
      case "internal" -> exchange.json(200, "{\"salaries\":\"not for the cloud\"}");
      case "ws" -> exchange.upgradeToWebSocket();
      case "" -> exchange.text(200, "example ERP\n");
      default -> exchange.json(404, "{\"error\":\"no such thing\"}");
    }
  }

  private void ledger(Exchange exchange) {
    Optional<String> user =
        logins.userOf(exchange.request().headers().get(HttpHeaderNames.AUTHORIZATION));
    exchange.json(
        user.isPresent() ? 200 : 401,
        user.map(name -> "{\"user\":" + JsonText.quoted(name) + ",\"balance\":1042}")
            .orElse("{\"error\":\"a password is needed\"}"));
  }

  private static long number(List<String> path) {
    return Numbers.parse(path.size() == 2 ? path.getLast() : "");
  }

  private static void oneKib(Exchange exchange) {
    if (exchange.method().equals(HttpMethod.GET) && HttpUtil.isKeepAlive(exchange.request())) {
      exchange.raw(ONE_KIB.duplicate());
      return;
    }
    exchange.send(200, BYTES, BodyPattern.slice(0, 1024));
  }

  private void api(Exchange exchange, List<String> path) {
    if (path.size() < 2 || !path.get(1).equals("orders")) {
      exchange.json(404, "{\"error\":\"no such resource\"}");
      return;
    }
    if (exchange.method().equals(HttpMethod.POST) && path.size() == 2) {
      exchange.onBody(new Collected(exchange, body -> createOrder(exchange, body)));
      return;
    }
    if (!exchange.method().equals(HttpMethod.GET) && !exchange.isHead()) {
      exchange.json(405, "{\"error\":\"method not allowed\"}");
      return;
    }
    if (path.size() == 2) {
      exchange.json(200, orders.list());
      return;
    }
    Optional<String> order = orders.get(Numbers.parse(path.get(2)));
    exchange.json(order.isPresent() ? 200 : 404, order.orElse("{\"error\":\"no such order\"}"));
  }

  private void createOrder(Exchange exchange, String body) {
    Optional<String> order = orders.add(body);
    exchange.json(
        order.isPresent() ? 201 : 400, order.orElse("{\"error\":\"a JSON object was expected\"}"));
  }

  private static void bytes(Exchange exchange, long length) {
    HttpResponse head = exchange.head(200, BYTES);
    head.headers().set(HttpHeaderNames.CONTENT_LENGTH, length);
    exchange.stream(head, ResponseBody.pattern(length));
  }

  private static void upload(Exchange exchange) {
    exchange.onBody(new Upload(exchange));
  }

  private static void slowBody(Exchange exchange) {
    long delayMs = exchange.query("ms", DEFAULT_DELAY_MS);
    long chunks = exchange.query("chunks", 5);
    exchange.start(Exchange.chunked(exchange.head(200, "text/plain")));
    slowChunk(exchange, delayMs, 0, chunks);
  }

  private static void slowChunk(Exchange exchange, long delayMs, long done, long chunks) {
    if (done == chunks) {
      exchange.end();
      return;
    }
    exchange.piece("chunk " + done + "\n");
    exchange.after(delayMs, () -> slowChunk(exchange, delayMs, done + 1, chunks));
  }

  private static void status(Exchange exchange, long code) {
    if (code < 200 || code > 599) {
      exchange.json(400, "{\"error\":\"a status from 200 to 599 was expected\"}");
      return;
    }
    if (code == 204 || code == 304) {
      exchange.empty((int) code);
      return;
    }
    exchange.json((int) code, "{\"status\":" + code + "}");
  }

  /// Promises a length, sends half of it, and closes; with `?rst=1` it resets the connection.
  private static void cut(Exchange exchange, long length) {
    HttpResponse head = exchange.head(200, BYTES);
    head.headers().set(HttpHeaderNames.CONTENT_LENGTH, length);
    half(exchange, head, length);
  }

  private static void cutChunked(Exchange exchange, long length) {
    half(exchange, Exchange.chunked(exchange.head(200, BYTES)), length);
  }

  private static void half(Exchange exchange, HttpResponse head, long length) {
    exchange.start(head);
    exchange.piece(BodyPattern.slice(0, (int) Math.min(length / 2, ResponseBody.PIECE_BYTES)));
    boolean reset = exchange.query("rst", 0) == 1;
    exchange.after(exchange.query("ms", 0), () -> exchange.cut(reset));
  }

  /// Answers at once, reads nothing of the body, and closes.
  private static void reject(Exchange exchange) {
    exchange.closeAfterwards();
    exchange.json(413, "{\"error\":\"not wanted\"}");
  }

  private static void withHeader(Exchange exchange) {
    HttpResponse head = exchange.head(200, "text/plain");
    head.headers().set(exchange.query("name", "X-Example"), exchange.query("value", "example"));
    head.headers().set(HttpHeaderNames.CONTENT_LENGTH, 3);
    exchange.start(head);
    exchange.piece("ok\n");
    exchange.end();
  }

  private static void trailers(Exchange exchange) {
    HttpResponse head = Exchange.chunked(exchange.head(200, "text/plain"));
    head.headers().set(HttpHeaderNames.TRAILER, "Example-Checksum, Example-Status");
    exchange.start(head);
    exchange.piece("body before trailers\n");
    HttpHeaders trailers = new DefaultHttpHeaders();
    trailers.set("Example-Checksum", "abc123");
    trailers.set("Example-Status", "0");
    exchange.end(trailers);
  }

  private static void earlyHints(Exchange exchange) {
    exchange.interim("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
    exchange.after(exchange.query("ms", 0), () -> exchange.text(200, "after the hints\n"));
  }

  /// A head of about that many bytes, in headers of 4,000.
  private static void bigHead(Exchange exchange, long bytes) {
    if (bytes > 1 << 20) {
      throw new Numbers.NotANumber();
    }
    HttpResponse head = exchange.head(200, "text/plain");
    long left = bytes;
    for (int i = 0; left > 0; i++) {
      int piece = (int) Math.min(left, BIG_HEADER_BYTES);
      head.headers().set("Example-Big-" + i, "x".repeat(piece));
      left -= piece;
    }
    head.headers().set(HttpHeaderNames.CONTENT_LENGTH, 3);
    exchange.start(head);
    exchange.piece("ok\n");
    exchange.end();
  }

  private static void bad(Exchange exchange, List<String> path) {
    Optional<String> answer = BadAnswers.named(path.getLast());
    if (answer.isEmpty()) {
      exchange.json(404, "{\"error\":\"no such mistake\"}");
      return;
    }
    exchange.closeAfterwards();
    exchange.raw(Unpooled.copiedBuffer(answer.get(), StandardCharsets.ISO_8859_1));
  }

  /// The head as it arrived: names and values in their order, doubled ones twice.
  private static String headersAsJson(Exchange exchange) {
    String headers =
        exchange.request().headers().entries().stream()
            .map(ErpRoutes::pair)
            .collect(Collectors.joining(",", "[", "]"));
    return "{\"method\":%s,\"target\":%s,\"version\":%s,\"headers\":%s}"
        .formatted(
            JsonText.quoted(exchange.method().name()),
            JsonText.quoted(exchange.request().uri()),
            JsonText.quoted(exchange.request().protocolVersion().text()),
            headers);
  }

  private static String pair(Map.Entry<String, String> header) {
    return "[" + JsonText.quoted(header.getKey()) + "," + JsonText.quoted(header.getValue()) + "]";
  }

  private static ByteBuf oneKib() {
    byte[] body = new byte[1024];
    BodyPattern.fill(0, body, 0, body.length);
    ByteBuf answer = Unpooled.directBuffer();
    answer.writeCharSequence(
        "HTTP/1.1 200 OK\r\nContent-Type: " + BYTES + "\r\nContent-Length: 1024\r\n\r\n",
        StandardCharsets.US_ASCII);
    answer.writeBytes(body);
    return Unpooled.unreleasableBuffer(answer.asReadOnly());
  }
}
