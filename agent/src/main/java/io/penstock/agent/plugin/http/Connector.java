package io.penstock.agent.plugin.http;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import io.penstock.codec.http.HeadLimits;
import java.net.InetSocketAddress;
import java.util.Optional;

/// Opens connections to one system. On the event loop.
final class Connector {
  /// What a slow system may leave in its socket's queue before the caller has to wait.
  private static final int LOW_WATER_BYTES = 16 * 1024;
  private static final int HIGH_WATER_BYTES = 64 * 1024;

  /// An exchange's own deadline comes first, so that its caller hears of a deadline.
  private static final int BEYOND_DEADLINE_MS = 1_000;

  private final HttpSettings settings;
  private final Optional<SslContext> tls;
  private final Bootstrap bootstrap;

  /// Who asked for a connection.
  interface Asker {
    void connected(Connection connection);

    /// @param why for the log of the broker; holds nothing secret
    void failed(String why);
  }

  Connector(
      EventLoop eventLoop,
      Class<? extends Channel> channelType,
      HttpSettings settings,
      Optional<SslContext> tls) {
    this.settings = settings;
    this.tls = tls;
    bootstrap =
        new Bootstrap()
            .group(eventLoop)
            .channel(channelType)
            .resolver(new OffLoopResolver())
            .option(
                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                settings.deadlines().connectMs() + BEYOND_DEADLINE_MS)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(LOW_WATER_BYTES, HIGH_WATER_BYTES));
  }

  void connect(Pool pool, Asker asker) {
    var connection = new Connection(pool);
    ChannelFuture connecting =
        bootstrap
            .clone()
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    fill(channel, connection);
                  }
                })
            .connect(InetSocketAddress.createUnresolved(settings.host(), settings.port()));
    connecting.addListener(_ -> tcpStands(connecting, connection, asker));
  }

  private void fill(Channel channel, Connection connection) {
    tls.ifPresent(
        context -> {
          SslHandler handler =
              context.newHandler(channel.alloc(), settings.host(), settings.port());
          handler.setHandshakeTimeoutMillis(settings.deadlines().connectMs() + BEYOND_DEADLINE_MS);
          channel.pipeline().addLast(handler);
        });
    var decoder = new StrictResponseDecoder(HeadLimits.DEFAULT);
    channel.pipeline().addLast(connection.firstBytes(), decoder, connection.decodedBy(decoder));
  }

  private void tcpStands(ChannelFuture connecting, Connection connection, Asker asker) {
    if (!connecting.isSuccess()) {
      asker.failed("connect: " + why(connecting));
      return;
    }
    SslHandler handler = connecting.channel().pipeline().get(SslHandler.class);
    if (handler == null) {
      asker.connected(connection);
      return;
    }
    Future<Channel> handshake = handler.handshakeFuture();
    handshake.addListener(
        _ -> {
          if (handshake.isSuccess()) {
            asker.connected(connection);
          } else {
            connecting.channel().close();
            asker.failed("TLS: " + why(handshake));
          }
        });
  }

  /// The innermost cause says most.
  private static String why(Future<?> future) {
    Throwable cause = future.cause();
    while (cause != null && cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return cause == null || cause.getMessage() == null
        ? "failed"
        : cause.getMessage().replaceAll("[^\\x20-\\x7e]", "?");
  }
}
