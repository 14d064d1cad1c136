package io.penstock.loadtest.engine;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A server that answers at once, and stands still for as long as it is told to.
final class StallingServer implements AutoCloseable {
  private static final int BODY_BYTES = 100;
  private static final int MAX_REQUEST = 32 << 20;

  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Channel server;

  StallingServer() {
    server =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel
                        .pipeline()
                        .addLast(
                            new HttpServerCodec(),
                            new HttpObjectAggregator(MAX_REQUEST),
                            new Answering());
                  }
                })
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .syncUninterruptibly()
            .channel();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + ((InetSocketAddress) server.localAddress()).getPort());
  }

  /// From `after` now on its only thread does nothing for a while.
  void stall(Duration after, Duration time) {
    var _ = group.next().schedule(() -> hold(time), after.toNanos(), TimeUnit.NANOSECONDS);
  }

  private static void hold(Duration time) {
    try {
      boolean _ = new CountDownLatch(1).await(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Answering extends SimpleChannelInboundHandler<FullHttpRequest> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      switch (request.uri()) {
        case "/never" -> {}
        case "/cut" -> {
          var _ = context.close();
        }
        case "/unavailable" -> answer(context, HttpResponseStatus.SERVICE_UNAVAILABLE, 0, true);
        case "/last" -> answer(context, HttpResponseStatus.OK, BODY_BYTES, false);
        case "/length" ->
            answer(context, HttpResponseStatus.OK, request.content().readableBytes(), true);
        case "/big" -> answer(context, HttpResponseStatus.OK, 400_000, true);
        default -> answer(context, HttpResponseStatus.OK, BODY_BYTES, true);
      }
    }

    private static void answer(
        ChannelHandlerContext context, HttpResponseStatus status, int bytes, boolean keep) {
      var response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(new byte[bytes]));
      response.headers().set("Server-Timing", "broker;dur=1.5, tunnel;dur=0.25");
      HttpUtil.setContentLength(response, bytes);
      HttpUtil.setKeepAlive(response, keep);
      var written = context.writeAndFlush(response);
      if (!keep) {
        written.addListener(ChannelFutureListener.CLOSE);
      }
    }
  }

  @Override
  public void close() {
    server.close().syncUninterruptibly();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
