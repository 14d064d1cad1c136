package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.penstock.agent.plugin.http.StrictResponseDecoder.RefusedResponse;
import io.penstock.codec.http.HeadLimits;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One connection to a system: carries one call after the other, never two at once. On the event
/// loop.
///
/// It goes back to the pool only when the read that brought an answer's end is over: bytes beyond
/// that end would otherwise pass for the next caller's answer.
final class SystemConnection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(SystemConnection.class);

  private final ConnectionPool pool;
  private final EventLoop loop;
  private final StrictResponseDecoder decoder = new StrictResponseDecoder(HeadLimits.DEFAULT);
  private final Runnable flush = this::flush;

  private @Nullable Channel channel;
  private @Nullable HttpExchange exchange;
  private boolean stands;
  private boolean over;
  private boolean releasing;
  private boolean flushing;

  /// Owned by the pool.
  long idleSinceNanos;

  SystemConnection(ConnectionPool pool, EventLoop loop) {
    this.pool = pool;
    this.loop = loop;
  }

  // Coming to stand.

  /// This call is served first.
  void reserve(HttpExchange next) {
    exchange = next;
  }

  boolean isAbandoned() {
    return over;
  }

  void install(Channel connecting) {
    channel = connecting;
    connecting.pipeline().addLast(decoder, this);
  }

  void connected() {
    HttpExchange next = exchange;
    if (over || next == null) {
      close();
      return;
    }
    stands = true;
    next.connected(this, false);
  }

  void connectFailed(String why) {
    if (over) {
      return;
    }
    HttpExchange failed = exchange;
    close();
    if (failed != null) {
      failed.connectFailed(why);
    }
  }

  // Carrying calls.

  void serve(HttpExchange next, boolean reused) {
    exchange = next;
    next.connected(this, reused);
  }

  ByteBufAllocator allocator() {
    return standing().alloc();
  }

  /// Before the request is written.
  void expect(HttpMethod method) {
    decoder.expect(method, false);
  }

  /// Whether any byte came since the request was announced.
  boolean answerHasBegun() {
    return decoder.hasBegun();
  }

  /// Leaves with everything else of this tick. Takes ownership of `bytes`.
  ChannelFuture write(ByteBuf bytes) {
    if (!flushing) {
      flushing = true;
      loop.execute(flush);
    }
    return standing().write(bytes);
  }

  private void flush() {
    flushing = false;
    standing().flush();
  }

  void pauseReading() {
    standing().config().setAutoRead(false);
  }

  void resumeReading() {
    standing().config().setAutoRead(true);
  }

  /// The call is over and the connection may carry another.
  void release() {
    exchange = null;
    releasing = true;
    resumeReading();
  }

  /// At once; what waits to be written is dropped. The call hears nothing any more.
  void close() {
    exchange = null;
    if (channel != null) {
      var _ = channel.close();
    }
    remove();
  }

  private void remove() {
    if (!over) {
      over = true;
      pool.removed(this);
    }
  }

  private Channel standing() {
    if (channel == null) {
      throw new IllegalStateException("not connected yet");
    }
    return channel;
  }

  // What the system does.

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      HttpExchange user = exchange;
      if (user == null) {
        // Nobody asked for these bytes.
        close();
        return;
      }
      switch (message) {
        case HttpResponse response -> user.onAnswerHead(response);
        case HttpContent content -> user.onAnswerContent(content);
        case RefusedResponse refused -> user.onRefusedAnswer(refused.reason());
        default -> user.onRefusedAnswer("the answer switches protocols unasked");
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (exchange != null) {
      exchange.onReadComplete();
    }
    if (releasing) {
      releasing = false;
      releaseToPool(ctx);
    }
  }

  private void releaseToPool(ChannelHandlerContext ctx) {
    if (over) {
      return;
    }
    if (ctx.channel().isActive() && decoder.isIdle()) {
      pool.release(this);
    } else {
      close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    HttpExchange user = exchange;
    exchange = null;
    // A connection that never stood is told of by the connector.
    if (stands && user != null) {
      user.onConnectionClosed();
    } else if (!stands) {
      exchange = user;
      return;
    }
    remove();
  }

  /// TLS's own close is the end, whether TCP closes too or not. TLS that ends without it may have
  /// been cut by anybody on the way (RFC 9112, section 9.8).
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    switch (event) {
      case SslCloseCompletionEvent close when close.isSuccess() -> {
        var _ = ctx.close();
      }
      case SslCloseCompletionEvent _ -> broken(ctx);
      default -> ctx.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    boolean ofTheWire = cause instanceof IOException || cause instanceof DecoderException;
    if (!ofTheWire) {
      LOG.error("a connection to a system: internal error", cause);
    }
    broken(ctx);
  }

  /// The call hears of it first: the decoder would take the close for the end of an answer that
  /// only the close delimits.
  private void broken(ChannelHandlerContext ctx) {
    HttpExchange user = exchange;
    if (stands && user != null) {
      exchange = null;
      user.onConnectionClosed();
    }
    var _ = ctx.close();
  }
}
