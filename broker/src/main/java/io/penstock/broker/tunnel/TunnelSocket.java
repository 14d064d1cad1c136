package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The WebSocket of one tunnel: messages in to its [Stage], messages out from it. What a tick of
/// the event loop produced leaves together at the tick's end (7-performance: coalesce); nothing is
/// taken from the stage while the connection takes no more.
///
/// On the tunnel's event loop. Netty: a write or close that fails ends the channel, which
/// channelInactive tells.
@SuppressWarnings("FutureReturnValueIgnored")
final class TunnelSocket extends ChannelInboundHandlerAdapter implements Runnable {
  /// Bytes after which the outgoing messages are flushed, which also shows whether the connection
  /// still takes some.
  private static final int FLUSH_BYTES = 64 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(TunnelSocket.class);

  private final MessageDecoder decoder;
  private final TunnelCounters counters;
  private Stage stage;

  @SuppressWarnings("NullAway.Init") // set when added to the pipeline, before anything else
  private ChannelHandlerContext context;

  private boolean flushScheduled;
  private boolean closing;

  TunnelSocket(MessageDecoder decoder, TunnelCounters counters) {
    this.decoder = decoder;
    this.counters = counters;
    stage = Unset.INSTANCE;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    counters.open.incrementAndGet();
  }

  void stage(Stage next) {
    stage = next;
  }

  /// Messages may be large and many from now on.
  void handshakeDone() {
    decoder.liftBudget();
  }

  EventLoop eventLoop() {
    return context.channel().eventLoop();
  }

  /// Hands a step to the event loop. False when that has ended, and this tunnel with it.
  boolean onLoop(Runnable step) {
    try {
      eventLoop().execute(step);
      return true;
    } catch (RejectedExecutionException ended) {
      return false;
    }
  }

  ChannelHandlerContext context() {
    return context;
  }

  // In.

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    switch (message) {
      case ByteBuf whole -> receive(whole);
      case SocketEvent.Ping(ByteBuf payload) -> answer(payload);
      case SocketEvent.Closing(int status) -> peerCloses(status);
      case SocketEvent.Violation(int status, String reason) -> {
        counters.violations.increment();
        close(status, reason, CloseWithin.NORMAL);
        stage.closed();
      }
      default -> ReferenceCountUtil.release(message);
    }
  }

  private void receive(ByteBuf message) {
    counters.recordsIn.increment();
    counters.bytesIn.add(message.readableBytes());
    try {
      if (!closing) {
        stage.message(message);
      }
    } finally {
      message.release();
    }
  }

  /// Only to a peer that reads: PONGs must not pile up.
  private void answer(ByteBuf payload) {
    if (closing || !context.channel().isWritable()) {
      payload.release();
      return;
    }
    context.write(MessageEncoder.pongHeader(payload.readableBytes()), context.voidPromise());
    context.write(payload, context.voidPromise());
    flushSoon();
  }

  private void peerCloses(int status) {
    if (closing) {
      context.close();
    } else {
      close(status, "", CloseWithin.NORMAL);
      stage.closed();
      context.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    closing = true;
    counters.open.decrementAndGet();
    stage.closed();
  }

  // Out.

  /// Something waits to be sent: it leaves at the end of this tick.
  void flushSoon() {
    if (!flushScheduled) {
      flushScheduled = true;
      eventLoop().execute(this);
    }
  }

  /// The end of the tick.
  @Override
  public void run() {
    flushScheduled = false;
    pump();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (ctx.channel().isWritable()) {
      pump();
    }
  }

  private void pump() {
    int unflushed = 0;
    while (!closing && context.channel().isWritable()) {
      ByteBuf next = stage.next();
      if (next == null) {
        break;
      }
      unflushed += next.readableBytes();
      write(next);
      if (unflushed >= FLUSH_BYTES) {
        context.flush();
        unflushed = 0;
      }
    }
    context.flush();
  }

  private void write(ByteBuf message) {
    counters.recordsOut.increment();
    counters.bytesOut.add(message.readableBytes());
    MessageEncoder.header(message);
    context.write(message, context.voidPromise());
  }

  /// A message out of turn, with [MessageEncoder#HEADER_ROOM] before it, even when the connection
  /// takes no more.
  void send(ByteBuf message) {
    if (closing) {
      message.release();
    } else {
      write(message);
    }
  }

  // The end.

  /// How long the peer may take to close its side.
  enum CloseWithin {
    NORMAL(2_000),
    /// For agents that must be gone within a second (8-abuse).
    AT_ONCE(400);

    final long millis;

    CloseWithin(long millis) {
      this.millis = millis;
    }
  }

  boolean isClosing() {
    return closing;
  }

  /// Sends a close frame; the connection ends when the peer answers, at the latest after `within`.
  /// A peer that never answers must not hold it.
  void close(int status, String reason, CloseWithin within) {
    if (closing) {
      return;
    }
    closing = true;
    context.writeAndFlush(MessageEncoder.close(status, reason), context.voidPromise());
    context.executor().schedule(this::cut, within.millis, TimeUnit.MILLISECONDS);
  }

  /// Ends the connection now. TLS is not asked: it would wait for a peer that does not read.
  void cut() {
    closing = true;
    ChannelHandlerContext tls = context.pipeline().context(SslHandler.class);
    if (tls == null) {
      context.channel().close();
    } else {
      tls.close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    boolean peersFault = cause instanceof IOException || cause instanceof DecoderException;
    if (!peersFault) {
      LOG.error("a tunnel fails", cause);
    }
    cut();
  }

  /// Between the socket's birth and its first stage.
  private enum Unset implements Stage {
    INSTANCE;

    @Override
    public void message(ByteBuf message) {
      throw new IllegalStateException("a message before the first stage");
    }

    @Override
    public @Nullable ByteBuf next() {
      return null;
    }

    @Override
    public void closed() {
      // Nothing has begun.
    }
  }
}
