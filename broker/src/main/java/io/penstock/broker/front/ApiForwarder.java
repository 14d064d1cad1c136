package io.penstock.broker.front;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.nio.file.Path;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Passes the API requests of one connection to the API's web server, over a unix socket of its
/// own, and the answers back, both ways as a stream: a side that does not read stops the other from
/// sending. On the public connection's event loop, the unix socket too. Netty: a write or close
/// that fails ends the channel, which channelInactive tells.
@SuppressWarnings("FutureReturnValueIgnored")
final class ApiForwarder extends ChannelInboundHandlerAdapter {
  private static final int CONNECT_TIMEOUT_MS = 2_000;

  private final Path socket;
  private final FrontServices services;
  private final ArrayDeque<Object> beforeConnected = new ArrayDeque<>(2);

  private @Nullable Channel backend;
  private boolean connecting;
  private boolean discarding;
  private boolean oldVersion;
  private long bodyBytes;
  private Answer answer = Answer.NONE;

  /// How much of the current answer has come.
  private enum Answer {
    NONE,
    DUE,
    BEGUN
  }

  ApiForwarder(Path socket, FrontServices services) {
    this.socket = socket;
    this.services = services;
  }

  // From the client.

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof HttpRequest request) {
      begin(ctx, request);
    } else if (message instanceof HttpContent content) {
      receive(ctx, content);
    } else {
      ReferenceCountUtil.release(message);
    }
  }

  private void begin(ChannelHandlerContext ctx, HttpRequest request) {
    discarding = false;
    bodyBytes = 0;
    answer = Answer.DUE;
    oldVersion = !request.protocolVersion().equals(HttpVersion.HTTP_1_1);
    if (HttpUtil.getContentLength(request, 0L) > services.settings().apiBodyBytes()) {
      refuseTooLarge(ctx);
      return;
    }
    if (HttpUtil.is100ContinueExpected(request)) {
      ctx.writeAndFlush(
          new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
    }
    boolean tls = ctx.pipeline().get(SslHandler.class) != null;
    ForwardedFields.ofRequest(request, Peer.clientOf(ctx.channel()), tls);
    send(ctx, request);
  }

  private void receive(ChannelHandlerContext ctx, HttpContent content) {
    bodyBytes += content.content().readableBytes();
    if (discarding) {
      content.release();
    } else if (content.decoderResult().isFailure()) {
      content.release();
      dropBackend();
      ctx.close();
    } else if (bodyBytes > services.settings().apiBodyBytes()) {
      content.release();
      refuseTooLarge(ctx);
    } else {
      send(ctx, content);
    }
  }

  private void refuseTooLarge(ChannelHandlerContext ctx) {
    services.counters().tooLarge.increment();
    dropBackend();
    fail(ctx, new FrontProblem(413, "Body too large"));
  }

  /// Where an answer has begun, cutting it is all that can be said.
  private void fail(ChannelHandlerContext ctx, FrontProblem problem) {
    discarding = true;
    if (answer == Answer.DUE) {
      answer = Answer.NONE;
      var response = problem.toResponse();
      response.headers().set("connection", HttpHeaderValues.CLOSE);
      ctx.writeAndFlush(response);
    } else if (answer == Answer.BEGUN) {
      ctx.close();
    }
  }

  private void send(ChannelHandlerContext ctx, Object message) {
    Channel open = backend;
    if (open != null && open.isActive()) {
      open.write(message);
      if (!open.isWritable()) {
        ctx.channel().config().setAutoRead(false);
      }
      return;
    }
    beforeConnected.add(message);
    ctx.channel().config().setAutoRead(false);
    if (!connecting) {
      connect(ctx);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (backend != null) {
      backend.flush();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (backend != null) {
      backend.config().setAutoRead(ctx.channel().isWritable());
    }
    ctx.fireChannelWritabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    dropBackend();
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    dropBackend();
  }

  // The API's socket.

  private void connect(ChannelHandlerContext ctx) {
    connecting = true;
    Transport transport = Transport.of(ctx.channel().eventLoop());
    new Bootstrap()
        .group(ctx.channel().eventLoop())
        .channel(transport.domainSocket())
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new HttpClientCodec(), new Answers(ctx));
              }
            })
        .connect(transport.domainAddress(socket))
        .addListener((ChannelFuture connected) -> connected(ctx, connected));
  }

  private void connected(ChannelHandlerContext ctx, ChannelFuture connected) {
    connecting = false;
    if (ctx.isRemoved() || !ctx.channel().isActive()) {
      connected.channel().close();
      releaseWaiting();
      return;
    }
    if (!connected.isSuccess()) {
      releaseWaiting();
      unavailable(ctx);
      ctx.channel().config().setAutoRead(true);
      return;
    }
    backend = connected.channel();
    if (discarding) {
      dropBackend();
      return;
    }
    ctx.channel().config().setAutoRead(true);
    while (!beforeConnected.isEmpty()) {
      send(ctx, beforeConnected.remove());
    }
    connected.channel().flush();
  }

  private void unavailable(ChannelHandlerContext ctx) {
    services.counters().apiUnavailable.increment();
    fail(ctx, new FrontProblem(503, "The API is not available", 1));
  }

  private void dropBackend() {
    releaseWaiting();
    Channel gone = backend;
    backend = null;
    if (gone != null) {
      gone.close();
    }
  }

  private void releaseWaiting() {
    beforeConnected.forEach(ReferenceCountUtil::release);
    beforeConnected.clear();
  }

  /// What the API answers.
  private final class Answers extends ChannelInboundHandlerAdapter {
    private final ChannelHandlerContext client;
    private boolean interim;
    private boolean keepAlive;

    Answers(ChannelHandlerContext client) {
      this.client = client;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (!ctx.channel().equals(backend)) {
        ReferenceCountUtil.release(message);
      } else if (message instanceof HttpResponse response) {
        head(response);
      } else {
        body((HttpContent) message);
      }
    }

    private void head(HttpResponse response) {
      int status = response.status().code();
      interim = status < 200;
      if (interim) {
        return;
      }
      if (response.decoderResult().isFailure()) {
        dropBackend();
        unavailable(client);
        return;
      }
      keepAlive = HttpUtil.isKeepAlive(response);
      ForwardedFields.ofResponse(response);
      frame(response);
      answer = Answer.BEGUN;
      client.write(response);
    }

    /// A body that ends with the API's connection gets a framing of its own, so that the client can
    /// tell its end from a cut.
    private void frame(HttpResponse response) {
      response.setProtocolVersion(HttpVersion.HTTP_1_1);
      int status = response.status().code();
      boolean framed =
          status == 204
              || status == 304
              || HttpUtil.isContentLengthSet(response)
              || HttpUtil.isTransferEncodingChunked(response);
      if (!framed && oldVersion) {
        HttpUtil.setKeepAlive(response, false);
      } else if (!framed) {
        HttpUtil.setTransferEncodingChunked(response, true);
      }
    }

    private void body(HttpContent content) {
      boolean last = content instanceof LastHttpContent;
      if (interim || content.decoderResult().isFailure()) {
        interim &= !last;
        content.release();
        return;
      }
      client.write(content);
      if (last) {
        answer = Answer.NONE;
        if (!keepAlive) {
          dropBackend();
        }
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
      client.flush();
      if (!client.channel().isWritable()) {
        ctx.channel().config().setAutoRead(false);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
      if (ctx.channel().equals(backend) && answer != Answer.NONE) {
        client.channel().config().setAutoRead(ctx.channel().isWritable());
      }
    }

    /// Gone between two requests: the next one connects anew. Gone before its answer was whole:
    /// that must be seen.
    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      if (!ctx.channel().equals(backend)) {
        return;
      }
      backend = null;
      if (answer != Answer.NONE) {
        unavailable(client);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
    }
  }
}
