package io.penstock.broker.front;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/// The port, bound long before there is somebody to serve it: who dials a broker that is starting
/// waits in the kernel's queue, where a refusal would make agents back off and callers fail. If the
/// start fails, they hear of it by the connection's end.
public final class PublicPort implements AutoCloseable {
  private static final int BACKLOG = 4_096;

  private final Channel listening;

  /// Nobody is accepted before it is set.
  private volatile Consumer<Channel> server =
      channel -> {
        var _ = channel.close();
      };

  private PublicPort(EventLoopGroup group, InetSocketAddress address) throws InterruptedException {
    Transport transport = Transport.of(group);
    var bootstrap = new ServerBootstrap();
    transport.limitUnsentBytes(bootstrap);
    listening =
        bootstrap
            .group(group)
            .channel(transport.serverSocket())
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.AUTO_READ, false)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    server.accept(channel);
                  }
                })
            .bind(address)
            .sync()
            .channel();
  }

  /// Binds and accepts nobody yet; not on an event loop.
  public static PublicPort bind(EventLoopGroup group, String host, int port) throws IOException {
    try {
      return new PublicPort(group, new InetSocketAddress(host, port));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while binding " + host + ":" + port, interrupted);
    } catch (Exception refused) {
      // Netty throws what bind threw, undeclared.
      throw new IOException("cannot listen on " + host + ":" + port, refused);
    }
  }

  /// The one that is bound.
  public int number() {
    return ((InetSocketAddress) listening.localAddress()).getPort();
  }

  /// Accepts from now on, those that wait first.
  void open(Consumer<Channel> connections) {
    server = connections;
    listening.config().setAutoRead(true);
  }

  /// New connections are refused from now on; open ones go on.
  @Override
  public void close() {
    var _ = listening.close();
  }
}
