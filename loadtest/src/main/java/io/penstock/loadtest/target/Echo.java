package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;

/// Sends the body back while it arrives; reads no faster than its caller does.
final class Echo implements RequestBody {
  private final Exchange exchange;

  private Echo(Exchange exchange) {
    this.exchange = exchange;
  }

  static void answer(Exchange exchange) {
    var asked = exchange.request().headers();
    HttpResponse head =
        exchange.head(200, asked.get(HttpHeaderNames.CONTENT_TYPE, "application/octet-stream"));
    head.headers().set("Echo-Method", exchange.method().name());
    head.headers().set("Echo-Target", exchange.request().uri());
    String length = asked.get(HttpHeaderNames.CONTENT_LENGTH);
    if (length == null) {
      Exchange.chunked(head);
    } else {
      head.headers().set(HttpHeaderNames.CONTENT_LENGTH, length);
    }
    exchange.start(head);
    exchange.onBody(new Echo(exchange));
  }

  @Override
  public void data(ByteBuf piece) {
    exchange.piece(piece.retain());
    if (!exchange.isWritable()) {
      exchange.pauseRequest();
      exchange.onceWritable(exchange::resumeRequest);
    }
  }

  @Override
  public void end() {
    exchange.end();
  }
}
