package io.penstock.broker.front;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.util.concurrent.TimeUnit;

/// A TLS client that only shakes hands.
final class NettyHandshake {
  private NettyHandshake() {}

  /// The protocol that was agreed on.
  static String with(SslContext context, int port) throws Exception {
    var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try {
      Channel channel =
          new Bootstrap()
              .group(group)
              .channel(NioSocketChannel.class)
              .handler(
                  new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel opened) {
                      opened.pipeline().addLast(context.newHandler(opened.alloc()));
                    }
                  })
              .connect("127.0.0.1", port)
              .sync()
              .channel();
      SslHandler tls = channel.pipeline().get(SslHandler.class);
      tls.handshakeFuture().get(10, TimeUnit.SECONDS);
      return tls.engine().getSession().getProtocol();
    } finally {
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
  }
}
