package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// One connection of the example ERP: one exchange at a time, pipelined requests wait unread. All
/// of it runs on its event loop.
final class ErpConnection extends ChannelInboundHandlerAdapter {
  private static final int MAX_LINE_BYTES = 64 << 10;
  private static final int MAX_HEAD_BYTES = 256 << 10;

  private final ErpRoutes routes;
  private final Encoder encoder = new Encoder();

  /// Decoded and not yet handled: at most what one read decodes, then reading stops.
  private final Deque<HttpObject> waiting = new ArrayDeque<>();

  private @Nullable ChannelHandlerContext self;
  private @Nullable Exchange current;
  private boolean paused;
  private boolean draining;
  private boolean inRead;

  private ErpConnection(ErpRoutes routes) {
    this.routes = routes;
  }

  static void addTo(ChannelPipeline pipeline, ErpRoutes routes) {
    ErpConnection connection = new ErpConnection(routes);
    pipeline.addLast(
        new HttpRequestDecoder(MAX_LINE_BYTES, MAX_HEAD_BYTES, 64 << 10),
        connection.encoder,
        connection);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    self = ctx;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    inRead = true;
    waiting.add((HttpObject) message);
    drain();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    inRead = false;
    ctx.flush();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (current != null) {
      current.writabilityChanged();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (current != null) {
      current.connectionClosed();
      current = null;
    }
    waiting.forEach(ReferenceCountUtil::release);
    waiting.clear();
  }

  /// A peer that went away, or sent what is no HTTP.
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    var _ = ctx.close();
  }

  private void drain() {
    if (draining) {
      return;
    }
    draining = true;
    try {
      while (!waiting.isEmpty() && mayHandle(waiting.getFirst())) {
        handle(waiting.removeFirst());
      }
    } finally {
      draining = false;
    }
    updateReading();
  }

  private boolean mayHandle(HttpObject next) {
    return !paused && (current == null || !(next instanceof HttpRequest));
  }

  private void handle(HttpObject next) {
    try {
      if (next instanceof HttpRequest request) {
        begin(request);
      }
      if (next instanceof HttpContent content && current != null) {
        body(current, content);
      }
    } finally {
      ReferenceCountUtil.release(next);
    }
  }

  private void begin(HttpRequest request) {
    if (!request.decoderResult().isSuccess()) {
      writeRaw(ascii("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
      closeAfterWrites();
      return;
    }
    encoder.head = request.method().equals(HttpMethod.HEAD);
    Exchange exchange = new Exchange(this, context(), request);
    current = exchange;
    if (HttpUtil.is100ContinueExpected(request) && routes.wantsBody(exchange)) {
      exchange.interim("HTTP/1.1 100 Continue\r\n\r\n");
    }
    routes.answer(exchange);
  }

  private void body(Exchange exchange, HttpContent content) {
    if (content.content().isReadable()) {
      exchange.requestData(content.content());
    }
    if (content instanceof LastHttpContent) {
      exchange.requestEnd();
      forgetIfOver(exchange);
    }
  }

  /// From the exchange: its answer is written.
  void answered(Exchange exchange, boolean keepAlive) {
    if (!keepAlive) {
      closeAfterWrites();
      return;
    }
    flush();
    forgetIfOver(exchange);
    drain();
  }

  private void forgetIfOver(Exchange exchange) {
    if (exchange.isOver() && current == exchange) {
      current = null;
    }
  }

  /// Inside a read the flush comes once, at its end.
  void flush() {
    if (!inRead) {
      context().flush();
    }
  }

  void write(Object message) {
    write(context(), message);
  }

  /// Past the encoder.
  void writeRaw(ByteBuf bytes) {
    write(context().pipeline().context(encoder), bytes);
  }

  /// A failed write comes back as [#exceptionCaught], which closes.
  private static void write(ChannelHandlerContext ctx, Object message) {
    var _ = ctx.write(message, ctx.voidPromise());
  }

  void closeAfterWrites() {
    var _ = context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
  }

  void pauseReading(boolean wanted) {
    paused = wanted;
    if (!wanted) {
      drain();
    }
    updateReading();
  }

  /// Hands the connection over to another protocol.
  void leave() {
    current = null;
    context().pipeline().remove(this);
  }

  private void updateReading() {
    context().channel().config().setAutoRead(!paused && waiting.isEmpty());
  }

  private ChannelHandlerContext context() {
    ChannelHandlerContext ctx = self;
    if (ctx == null) {
      throw new IllegalStateException("not in a pipeline");
    }
    return ctx;
  }

  private static ByteBuf ascii(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
  }

  /// Knows that an answer to HEAD has no body, whatever its headers say.
  private static final class Encoder extends HttpResponseEncoder {
    private boolean head;

    @Override
    protected boolean isContentAlwaysEmpty(HttpResponse response) {
      return head || super.isContentAlwaysEmpty(response);
    }
  }
}
