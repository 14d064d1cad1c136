package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.ReferenceCountUtil;
import io.penstock.agent.plugin.http.StrictResponseDecoder.RefusedResponse;
import org.jspecify.annotations.Nullable;

/// One connection to a system, last in its pipeline: carries one exchange at a time. On the event
/// loop.
final class Connection extends ChannelInboundHandlerAdapter {
  private final Pool pool;
  private @Nullable Channel channel;
  private @Nullable StrictResponseDecoder decoder;
  private @Nullable HttpExchange exchange;
  private boolean somethingCame;
  private boolean flushScheduled;
  private boolean stood;
  private long idleSinceNanos;

  Connection(Pool pool) {
    this.pool = pool;
  }

  Connection decodedBy(StrictResponseDecoder before) {
    decoder = before;
    return this;
  }

  /// Notices the first bytes of an answer, in front of the decoder, which may need more before it
  /// says anything.
  ChannelInboundHandlerAdapter firstBytes() {
    return new ChannelInboundHandlerAdapter() {
      @Override
      public void channelRead(ChannelHandlerContext context, Object bytes) {
        somethingCame = true;
        context.fireChannelRead(bytes);
      }
    };
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    channel = context.channel();
  }

  private Channel channel() {
    if (channel == null) {
      throw new IllegalStateException("not in a pipeline yet");
    }
    return channel;
  }

  private StrictResponseDecoder decoder() {
    if (decoder == null) {
      throw new IllegalStateException("not in a pipeline yet");
    }
    return decoder;
  }

  // For the pool.

  /// Connected, with TLS if need be: from now on the pool hears of its end.
  void stands() {
    stood = true;
  }

  boolean isUsable() {
    return channel().isActive() && decoder().isIdle();
  }

  void idleSince(long nanos) {
    idleSinceNanos = nanos;
  }

  long idleSince() {
    return idleSinceNanos;
  }

  // For its exchange.

  /// From now on everything that comes is the answer to this exchange's request.
  void begin(HttpExchange next, HttpMethod method) {
    exchange = next;
    somethingCame = false;
    decoder().expect(method, false);
  }

  /// The exchange is over, and nothing of it is left on the wire.
  void done() {
    exchange = null;
    channel().config().setAutoRead(true);
    if (isUsable()) {
      pool.release(this);
    } else {
      close();
    }
  }

  /// The exchange is over, but its bytes are not.
  void abandon() {
    exchange = null;
    close();
  }

  void close() {
    channel().close();
  }

  /// Anything of an answer.
  boolean somethingCame() {
    return somethingCame;
  }

  void write(ByteBuf bytes) {
    channel().write(bytes, channel().voidPromise());
    if (!flushScheduled) {
      flushScheduled = true;
      channel().eventLoop().execute(this::flush);
    }
  }

  private void flush() {
    flushScheduled = false;
    channel().flush();
  }

  boolean isWritable() {
    return channel().isWritable();
  }

  void pauseReading() {
    channel().config().setAutoRead(false);
  }

  void resumeReading() {
    channel().config().setAutoRead(true);
  }

  // What the system does.

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    HttpExchange current = exchange;
    if (current == null) {
      // Nobody asked for anything: what comes on an idle connection spoils it.
      ReferenceCountUtil.release(message);
      close();
      return;
    }
    switch (message) {
      case RefusedResponse(String reason, var _) -> current.badAnswer(reason);
      case HttpResponse head -> current.head(head);
      case HttpContent content -> current.content(content);
      default -> {
        ReferenceCountUtil.release(message);
        current.badAnswer("something else than HTTP");
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (exchange != null && channel().isWritable()) {
      exchange.systemWritable();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    HttpExchange current = exchange;
    exchange = null;
    if (stood) {
      pool.gone(this);
    }
    if (current != null) {
      current.connectionClosed();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    // Its end is heard by channelInactive.
    context.close();
  }
}
