package io.penstock.loadtest.target;

/// `/sse?ms=&count=`: an event every so often, for ever without a count. A reader that does not
/// read gets none, instead of a queue.
final class ServerSentEvents {
  private static final long DEFAULT_INTERVAL_MS = 1_000;

  private final Exchange exchange;
  private final long intervalMs;
  private final long count;
  private long sent;

  private ServerSentEvents(Exchange exchange) {
    this.exchange = exchange;
    this.intervalMs = Math.max(1, exchange.query("ms", DEFAULT_INTERVAL_MS));
    this.count = exchange.query("count", Long.MAX_VALUE);
  }

  static void answer(Exchange exchange) {
    var head = Exchange.chunked(exchange.head(200, "text/event-stream"));
    head.headers().set("Cache-Control", "no-cache");
    exchange.start(head);
    new ServerSentEvents(exchange).tick();
  }

  private void tick() {
    if (sent == count || exchange.isHead()) {
      exchange.end();
      return;
    }
    sent++;
    if (exchange.isWritable()) {
      exchange.piece("id: %d\nevent: tick\ndata: {\"n\":%d}\n\n".formatted(sent, sent));
    }
    exchange.after(intervalMs, this::tick);
  }
}
