package io.penstock.broker.front;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives each request of one connection to who answers it, one after the other: a pipelined request
/// waits until the answer before it is complete, so a service behind this handler sees one exchange
/// at a time. The service of the current exchange is the next handler of the pipeline; it gets
/// Netty's HTTP objects and writes them, and owns the channel's auto-read while the request's body
/// arrives.
///
/// This handler also decides whether the connection goes on after an answer, and ends it when a
/// head or the next request does not come in time. On the connection's event loop. Netty: a write
/// or close that fails ends the channel, which channelInactive tells.
@SuppressWarnings("FutureReturnValueIgnored")
final class Dispatcher extends ChannelDuplexHandler implements Ticker.Ticked {
  /// Requests that a peer may send ahead of their turn.
  private static final int MAX_WAITING_REQUESTS = 64;

  /// How long a connection that is being closed still swallows its request, so that the peer reads
  /// our answer before it meets a reset.
  private static final long LINGER_MS = 500;

  /// How long a last answer may take to leave.
  private static final Duration CLOSING = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  private static final String SERVICE = "service";

  private enum Phase {
    /// A head is on its way, or the first one is due.
    HEAD,
    /// Between two requests.
    RESTING,
    EXCHANGE,
    CLOSING
  }

  private final FrontServices services;
  private final Ticker ticker;
  private final ResponseEncoder encoder;
  private final ChannelHandler decoder;
  private final ArrayDeque<Object> waiting = new ArrayDeque<>(0);

  @SuppressWarnings("NullAway.Init") // set when added to the pipeline, before anything else
  private ChannelHandlerContext context;

  private Phase phase = Phase.HEAD;
  private long phaseSinceNanos;
  private long unwritableSinceNanos;
  private int waitingRequests;
  private boolean messageSeen;
  private boolean lingering;
  private @Nullable Exchange exchange;
  private @Nullable HttpRequest upgrade;
  private @Nullable Destination installed;

  Dispatcher(
      FrontServices services, Ticker ticker, ChannelHandler decoder, ResponseEncoder encoder) {
    this.decoder = decoder;
    this.services = services;
    this.ticker = ticker;
    this.encoder = encoder;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
    enter(Phase.HEAD);
    ticker.add(this);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    ticker.remove(this);
    waiting.forEach(ReferenceCountUtil::release);
    waiting.clear();
  }

  private void enter(Phase next) {
    phase = next;
    phaseSinceNanos = services.nanoTime().getAsLong();
  }

  // The request's side.

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    messageSeen = true;
    if (phase == Phase.CLOSING) {
      swallow(ctx, message);
    } else if (waiting.isEmpty() && mayPass(message)) {
      pass(ctx, message);
    } else {
      hold(ctx, message);
    }
  }

  /// False for what belongs to a later exchange.
  private boolean mayPass(Object message) {
    return exchange == null || (!exchange.requestDone && message instanceof HttpContent);
  }

  private void pass(ChannelHandlerContext ctx, Object message) {
    if (exchange == null) {
      begin(ctx, message);
    } else if (upgrade != null) {
      receiveUpgrade(ctx, (HttpContent) message);
    } else {
      passBody(ctx, exchange, message);
    }
  }

  private void begin(ChannelHandlerContext ctx, Object message) {
    if (!(message instanceof HttpRequest request)) {
      beginRefused(ctx, message);
      return;
    }
    if (request.decoderResult().isFailure()) {
      services.counters().malformed.increment();
      ReferenceCountUtil.release(message);
      start(Exchange.refused());
      refuse(ctx, malformed(request.decoderResult().cause()));
      return;
    }
    Destination destination = Destination.of(request, services.ingressHost());
    start(Exchange.of(request, destination));
    encoder.answering(request.method());
    if (!isAdmitted(ctx, request, destination)) {
      ReferenceCountUtil.release(message);
      String error = destination == Destination.EDGE ? "forbidden" : "";
      refuse(ctx, new FrontProblem(403, "This address is not let in", 0, error));
      return;
    }
    switch (destination) {
      case TUNNEL -> upgrade = request;
      case NOBODY -> refuse(ctx, new FrontProblem(501, "CONNECT is not built yet"));
      case EDGE, API -> {
        install(ctx, destination);
        ctx.fireChannelRead(message);
      }
    }
  }

  private boolean isAdmitted(
      ChannelHandlerContext ctx, HttpRequest request, Destination destination) {
    Doorkeeper doorkeeper = services.doorkeeper();
    InetAddress client = doorkeeper.client(request, Peer.of(ctx.channel()));
    Peer.setClient(ctx.channel(), client);
    return doorkeeper.admits(client, destination.isForEveryAddress(request));
  }

  private static FrontProblem malformed(Throwable cause) {
    boolean tooLarge =
        cause instanceof TooLongHttpHeaderException || cause instanceof TooLongHttpLineException;
    return tooLarge
        ? new FrontProblem(431, "Head too large")
        : new FrontProblem(400, "Malformed request");
  }

  private Exchange start(Exchange next) {
    exchange = next;
    enter(Phase.EXCHANGE);
    return next;
  }

  /// Not Netty's objects: what a strict decoder says instead of a request. The edge answers it.
  private void beginRefused(ChannelHandlerContext ctx, Object message) {
    if (message instanceof HttpContent) {
      ReferenceCountUtil.release(message);
      return;
    }
    services.counters().malformed.increment();
    start(Exchange.refused());
    install(ctx, Destination.EDGE);
    ctx.fireChannelRead(message);
  }

  private void install(ChannelHandlerContext ctx, Destination destination) {
    if (installed == destination) {
      return;
    }
    ChannelPipeline pipeline = ctx.pipeline();
    ChannelHandler service = services.handler(destination);
    if (installed == null) {
      pipeline.addAfter(ctx.name(), SERVICE, service);
    } else {
      pipeline.replace(SERVICE, SERVICE, service);
    }
    installed = destination;
  }

  private void passBody(ChannelHandlerContext ctx, Exchange current, Object message) {
    phaseSinceNanos = services.nanoTime().getAsLong();
    current.requestDone = message instanceof LastHttpContent;
    if (installed == null) {
      ReferenceCountUtil.release(message);
    } else {
      ctx.fireChannelRead(message);
    }
    endWhenOver(ctx, current);
  }

  private void hold(ChannelHandlerContext ctx, Object message) {
    waiting.add(message);
    if (message instanceof HttpRequest && ++waitingRequests > MAX_WAITING_REQUESTS) {
      ctx.close();
    } else {
      ctx.channel().config().setAutoRead(false);
    }
  }

  /// The answer before it is complete: the next request has its turn.
  private void resume(ChannelHandlerContext ctx) {
    if (ctx.isRemoved() || phase == Phase.CLOSING) {
      return;
    }
    ctx.channel().config().setAutoRead(true);
    while (!waiting.isEmpty() && mayPass(waiting.element())) {
      Object message = waiting.remove();
      if (message instanceof HttpRequest) {
        waitingRequests--;
      }
      pass(ctx, message);
    }
    if (!waiting.isEmpty()) {
      ctx.channel().config().setAutoRead(false);
    }
    ctx.fireChannelReadComplete();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (phase == Phase.RESTING && !messageSeen) {
      // Bytes arrived that are no whole head yet.
      enter(Phase.HEAD);
    }
    messageSeen = false;
    ctx.fireChannelReadComplete();
  }

  // The tunnel's request.

  private void receiveUpgrade(ChannelHandlerContext ctx, HttpContent content) {
    boolean body = content.content().isReadable();
    boolean last = content instanceof LastHttpContent;
    content.release();
    HttpRequest request = upgrade;
    if (request == null || (!last && !body)) {
      return;
    }
    upgrade = null;
    if (exchange != null) {
      exchange.requestDone = last;
    }
    if (body) {
      refuse(ctx, new FrontProblem(400, "A tunnel request has no body"));
      return;
    }
    switch (services.tunnel().decide(request, ctx.channel())) {
      case UpgradeEndpoint.Decision.Refused(int status, String title, int retryAfter) ->
          refuse(ctx, new FrontProblem(status, title, retryAfter));
      case UpgradeEndpoint.Decision.Accepted accepted -> handOver(ctx, accepted);
    }
  }

  /// Everything of HTTP leaves the pipeline; the decoder last, because it gives what it still holds
  /// to the handlers behind it.
  private void handOver(ChannelHandlerContext ctx, UpgradeEndpoint.Decision.Accepted accepted) {
    ChannelPipeline pipeline = ctx.pipeline();
    ctx.writeAndFlush(accepted.answer());
    if (installed != null) {
      pipeline.remove(SERVICE);
    }
    accepted.install().accept(pipeline);
    pipeline.remove(encoder);
    pipeline.remove(this);
    pipeline.remove(decoder);
  }

  // The answer's side.

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    Exchange current = exchange;
    boolean interim =
        message instanceof HttpResponse response
            && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
    if (current == null || current.responseDone || interim) {
      ctx.write(message, promise);
      return;
    }
    if (message instanceof HttpResponse response) {
      current.answeredBy(response);
    }
    if (!(message instanceof LastHttpContent)) {
      ctx.write(message, promise);
      return;
    }
    current.responseDone = true;
    if (current.keepsConnection()) {
      ctx.write(message, promise);
      endWhenOver(ctx, current);
    } else {
      writeLast(ctx, current, message, promise.unvoid());
    }
  }

  private void writeLast(
      ChannelHandlerContext ctx, Exchange current, Object message, ChannelPromise promise) {
    enter(Phase.CLOSING);
    promise.addListener(_ -> answered(ctx, current));
    ctx.write(message, promise);
    waiting.forEach(ReferenceCountUtil::release);
    waiting.clear();
    ctx.channel().config().setAutoRead(true);
  }

  private void answered(ChannelHandlerContext ctx, Exchange current) {
    if (current.requestDone) {
      ctx.close();
    } else {
      lingering = true;
      ctx.executor().schedule(() -> ctx.close(), LINGER_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void swallow(ChannelHandlerContext ctx, Object message) {
    boolean last = message instanceof LastHttpContent;
    ReferenceCountUtil.release(message);
    if (last && lingering) {
      ctx.close();
    } else if (last && exchange != null) {
      exchange.requestDone = true;
    }
  }

  private void endWhenOver(ChannelHandlerContext ctx, Exchange current) {
    if (!current.isOver() || current != exchange || phase == Phase.CLOSING) {
      return;
    }
    exchange = null;
    enter(Phase.RESTING);
    if (waiting.isEmpty()) {
      ctx.channel().config().setAutoRead(true);
    } else {
      // Not from here: the service may be in the middle of writing this answer.
      ctx.executor().execute(() -> resume(ctx));
    }
  }

  /// Answers by ourselves and ends the connection.
  private void refuse(ChannelHandlerContext ctx, FrontProblem problem) {
    if (exchange != null) {
      exchange.closeAfterwards();
    }
    write(ctx, problem.toResponse(), ctx.newPromise());
    ctx.flush();
  }

  // Time.

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (handshake.isSuccess()) {
        enter(Phase.HEAD);
      } else {
        services.counters().tlsFailed.increment();
        ctx.close();
      }
    }
    ctx.fireUserEventTriggered(event);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    unwritableSinceNanos = services.nanoTime().getAsLong();
    ctx.fireChannelWritabilityChanged();
  }

  @Override
  public void tick() {
    FrontSettings settings = services.settings();
    switch (phase) {
      case HEAD -> closeAfter(settings.head(), services.counters().headTimeouts);
      case RESTING -> closeAfter(settings.keepAlive(), services.counters().idleTimeouts);
      case CLOSING -> closeAfter(CLOSING, services.counters().stalled);
      case EXCHANGE -> tickExchange(settings);
    }
  }

  /// Invocations have their own deadlines.
  private void tickExchange(FrontSettings settings) {
    if (exchange == null || exchange.destination == Destination.EDGE) {
      return;
    }
    if (!exchange.requestDone) {
      closeAfter(settings.apiStall(), services.counters().stalled);
    } else if (!context.channel().isWritable()) {
      close(unwritableSinceNanos, settings.apiStall(), services.counters().stalled);
    }
  }

  private void closeAfter(Duration limit, LongAdder counter) {
    close(phaseSinceNanos, limit, counter);
  }

  private void close(long sinceNanos, Duration limit, LongAdder counter) {
    if (services.nanoTime().getAsLong() - sinceNanos >= limit.toNanos()) {
      counter.increment();
      context.close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    boolean peersFault = cause instanceof IOException || cause instanceof DecoderException;
    if (!peersFault) {
      LOG.error("a public connection fails", cause);
    }
    ctx.close();
  }
}
