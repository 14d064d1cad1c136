package io.penstock.broker.edge;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import io.penstock.codec.RequestIds;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection of a caller, at the end of its pipeline: takes strictly decoded HTTP/1.1 objects,
/// answers one request after the other, and decides when the socket is read.
///
/// Requests that arrive while one is being answered wait here; the socket is not read meanwhile, so
/// at most one read's bytes wait. While nothing waits the socket is read, so that a caller that
/// goes away is noticed.
public final class InvocationHandler extends ChannelInboundHandlerAdapter {

  /// More objects than this in one read are no pipelining any more.
  private static final int MAX_WAITING = 2_048;

  /// How long and how much is still read from a caller that was answered before it had sent all,
  /// so that the answer is not lost in a reset.
  private static final long LINGER_MS = 1_000;

  private static final int LINGER_BYTES = 256 * 1024;

  private final InvocationEdge edge;
  private final IdSource idSource;
  private final ArrayDeque<Object> waiting = new ArrayDeque<>(4);

  private @Nullable ChannelHandlerContext context;
  private @Nullable DeadlineTimer timer;
  private @Nullable Exchange current;
  private boolean paused;
  private boolean draining;
  private boolean closing;
  private int lingeredBytes;

  InvocationHandler(InvocationEdge edge) {
    this.edge = edge;
    idSource = new IdSource(edge.settings().tracing());
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    timer = new DeadlineTimer(ctx.channel().eventLoop(), edge.nanoTime(), this::checkDeadlines);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    gone();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    gone();
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    // A broken connection, or a write that failed: there is nobody left to tell.
    var _ = ctx.close();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (closing) {
      linger(message);
    } else if (waiting.isEmpty() && isForNow(message)) {
      take(message);
    } else if (waiting.size() < MAX_WAITING) {
      waiting.add(message);
    } else {
      ReferenceCountUtil.release(message);
      abort();
    }
    readingChanged();
  }

  /// Contents belong to the request before them, which is the current one as long as nothing waits.
  private boolean isForNow(Object message) {
    return current == null || message instanceof HttpContent;
  }

  private void take(Object message) {
    switch (message) {
      case HttpRequest request -> begin(request);
      case HttpContent content -> continueWith(content);
      case StrictRequestDecoder.RefusedRequest refused ->
          refuse(InvocationProblem.refusedByGate(refused.status(), refused.reason()));
      default -> ReferenceCountUtil.release(message);
    }
  }

  private void begin(HttpRequest request) {
    if (request.decoderResult().isFailure()) {
      refuse(InvocationProblem.badRequest("The request is malformed."));
      return;
    }
    var exchange = new Exchange(edge, this, context(), request, idSource.next(request.headers()));
    current = exchange;
    exchange.start();
  }

  private void continueWith(HttpContent content) {
    if (current == null) {
      content.release();
    } else {
      current.onContent(content);
    }
  }

  /// There is no request to speak of, and no way to tell where the next one begins.
  private void refuse(InvocationProblem problem) {
    RequestIds ids = idSource.withNewTrace();
    edge.observer()
        .ended(
            new InvocationRecord(
                ids,
                false,
                "",
                "",
                "",
                "",
                "",
                problem.status(),
                problem.code(),
                false,
                0,
                0,
                new InvocationRecord.HopMicros(0, 0, 0, 0, 0),
                0));
    var _ =
        context()
            .writeAndFlush(Problems.answer(problem, ids.requestId(), false, false))
            .addListener(_ -> closeAfterAnswer());
    closing = true;
  }

  /// The current exchange is answered and its request read: the next one may begin.
  void exchangeOver() {
    current = null;
    if (draining) {
      return;
    }
    draining = true;
    while (!waiting.isEmpty() && !closing && isForNow(waiting.element())) {
      take(waiting.remove());
    }
    draining = false;
    if (closing) {
      releaseWaiting();
    }
    readingChanged();
  }

  /// Whether more may come now: while something waits, or the body's stream is slow, it may not.
  /// Reading is switched on again only by whoever switched it off: others on this connection hold
  /// requests back too.
  void readingChanged() {
    boolean wanted = closing || (waiting.isEmpty() && (current == null || current.wantsContent()));
    if (wanted == paused) {
      paused = !wanted;
      context().channel().config().setAutoRead(wanted);
    }
  }

  void lookWithin(long leftNanos) {
    if (timer != null) {
      timer.within(leftNanos);
    }
  }

  private void checkDeadlines() {
    if (current != null) {
      current.checkDeadlines();
    }
  }

  /// The answer has left and the connection is of no further use. A caller that still sends is
  /// heard out, within limits.
  void closeAfterAnswer() {
    boolean heardOut = current == null ? !closing : current.requestEnded();
    current = null;
    closing = true;
    releaseWaiting();
    if (heardOut) {
      close();
      return;
    }
    readingChanged();
    var _ = context().channel().eventLoop().schedule(this::close, LINGER_MS, TimeUnit.MILLISECONDS);
  }

  private void close() {
    var _ = context().close();
  }

  private void linger(Object message) {
    if (message instanceof HttpContent content) {
      lingeredBytes += content.content().readableBytes();
    }
    ReferenceCountUtil.release(message);
    if (lingeredBytes > LINGER_BYTES) {
      close();
    }
  }

  /// Ends the connection so that nobody takes what was sent for whole: with a reset, and around
  /// TLS, whose polite end would say that all is well.
  void abort() {
    current = null;
    closing = true;
    releaseWaiting();
    context().channel().config().setOption(ChannelOption.SO_LINGER, 0);
    var _ = context().pipeline().firstContext().close();
  }

  private void gone() {
    closing = true;
    if (timer != null) {
      timer.stop();
    }
    releaseWaiting();
    Exchange left = current;
    current = null;
    if (left != null) {
      left.callerGone();
    }
  }

  private void releaseWaiting() {
    waiting.forEach(ReferenceCountUtil::release);
    waiting.clear();
  }

  private ChannelHandlerContext context() {
    if (context == null) {
      throw new IllegalStateException("not in a pipeline");
    }
    return context;
  }
}
