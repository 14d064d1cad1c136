package io.penstock.agent.plugin.http;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import io.netty.util.NetUtil;
import io.penstock.agent.link.Loop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/// Makes connections to one system: name, TCP, TLS. Answers by [SystemConnection#connected] or
/// [SystemConnection#connectFailed] on the event loop.
final class Connector {
  private static final int CONNECT_TIMEOUT_MS = 30_000;

  /// One read of at most 64 KiB for each system that has something, then all others are looked at:
  /// with Netty's sixteen, a tick that reads eight downloads keeps a small answer waiting for 8
  /// MiB.
  private static final RecvByteBufAllocator ONE_READ =
      new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(1);

  private final Origin origin;
  private final Optional<SslContext> tls;
  private final EventLoop loop;
  private final Bootstrap bootstrap;

  Connector(
      Origin origin,
      Optional<SslContext> tls,
      EventLoop loop,
      Class<? extends Channel> channelType) {
    this.origin = origin;
    this.tls = tls;
    this.loop = loop;
    // An answer that came before the system closed is still read when our write fails: AUTO_CLOSE
    // would throw it away.
    bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(channelType)
            .resolver(NoopAddressResolverGroup.INSTANCE)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.AUTO_CLOSE, false)
            .option(ChannelOption.RECVBUF_ALLOCATOR, ONE_READ)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS);
    Loop.limitUnsentBytes(bootstrap, channelType);
  }

  void connect(SystemConnection connection) {
    byte[] literal = NetUtil.createByteArrayFromIpAddressString(origin.host());
    if (literal != null) {
      connect(connection, new InetAddress[] {address(literal)}, 0);
      return;
    }
    // The system's resolver blocks.
    Thread.ofVirtual().name("resolve").start(() -> resolve(connection));
  }

  private static InetAddress address(byte[] literal) {
    try {
      return InetAddress.getByAddress(literal);
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private void resolve(SystemConnection connection) {
    try {
      InetAddress[] addresses = InetAddress.getAllByName(origin.host());
      loop.execute(() -> connect(connection, addresses, 0));
    } catch (UnknownHostException _) {
      loop.execute(() -> connection.connectFailed("the system's name is unknown"));
    }
  }

  /// Tries the addresses one after the other.
  private void connect(SystemConnection connection, InetAddress[] addresses, int index) {
    if (connection.isAbandoned()) {
      return;
    }
    var address = new InetSocketAddress(addresses[index], origin.port());
    ChannelFuture connecting =
        bootstrap
            .clone()
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    tls.ifPresent(context -> channel.pipeline().addLast(handler(context, channel)));
                    connection.install(channel);
                  }
                })
            .connect(address);
    var _ =
        connecting.addListener(
            _ -> {
              if (connecting.isSuccess()) {
                secured(connection, connecting.channel());
              } else if (index + 1 < addresses.length) {
                connect(connection, addresses, index + 1);
              } else {
                connection.connectFailed("the system does not accept connections");
              }
            });
  }

  private SslHandler handler(SslContext context, Channel channel) {
    SslHandler handler = context.newHandler(channel.alloc(), origin.host(), origin.port());
    handler.setHandshakeTimeoutMillis(CONNECT_TIMEOUT_MS);
    return handler;
  }

  private static void secured(SystemConnection connection, Channel channel) {
    SslHandler handler = channel.pipeline().get(SslHandler.class);
    if (handler == null) {
      connection.connected();
      return;
    }
    var _ =
        handler
            .handshakeFuture()
            .addListener(
                handshake -> {
                  if (handshake.isSuccess()) {
                    connection.connected();
                  } else {
                    connection.connectFailed("the TLS handshake with the system failed");
                  }
                });
  }
}
