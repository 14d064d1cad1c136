package io.penstock.loadtest.network;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// Listens on loopback and hands every connection on to one place on loopback, over a line that is
/// as long, slow and bad as it is told to be.
///
/// It works on the bytes of connections, not on packets: it adds no loss that TCP would have to
/// repair, but what that looks like from above (see [Network]). `connect()` succeeds at once, and
/// the first bytes travel a round trip longer instead. Its one event loop takes processor time from
/// whatever is measured beside it.
///
/// On NIO and not on epoll: Netty's epoll channels (seen with 4.2.13) leave the kernel's set once
/// a side has ended and nothing is read, and the next write that the socket does not take at once
/// fails ("epoll_ctl: No such file or directory").
public final class NetworkProxy implements AutoCloseable {
  private static final int CONNECT_MS = 10_000;
  private static final int BACKLOG = 4_096;

  private final MultiThreadIoEventLoopGroup group;
  private final int toPort;
  private final Channel server;
  private final SplittableRandom random = new SplittableRandom(1);

  /// On the event loop.
  private final Set<Relay> relays = new LinkedHashSet<>();

  private volatile Network line;

  private NetworkProxy(int toPort, Network line) {
    this.toPort = toPort;
    this.line = line;
    group =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("network", true), NioIoHandler.newFactory());
    try {
      server = listen();
    } catch (RuntimeException e) {
      var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      throw e;
    }
  }

  /// @param toPort on loopback
  public static NetworkProxy start(int toPort, Network line) {
    return new NetworkProxy(toPort, line);
  }

  private Channel listen() {
    return new ServerBootstrap()
        .group(group)
        .channel(NioServerSocketChannel.class)
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childOption(ChannelOption.AUTO_READ, false)
        .childHandler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel accepted) {
                relay(accepted);
              }
            })
        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .syncUninterruptibly()
        .channel();
  }

  private void relay(Channel accepted) {
    var relay = new Relay(() -> line, random.split(), accepted);
    relays.add(relay);
    accepted.closeFuture().addListener(_ -> relays.remove(relay));
    ChannelFuture dialling =
        new Bootstrap()
            .group(accepted.eventLoop())
            .channel(NioSocketChannel.class)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .option(ChannelOption.AUTO_READ, false)
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel made) {
                    made.pipeline().addLast(relay.back());
                  }
                })
            .connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), toPort));
    dialling.addListener(
        connected -> {
          if (connected.isSuccess()) {
            relay.connected(dialling.channel());
          } else {
            relay.refused();
          }
        });
  }

  /// Where to dial instead.
  public int port() {
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  /// From now on, for connections that stand as well; what is on its way arrives as it was to.
  public void line(Network other) {
    line = other;
    group.next().execute(() -> Set.copyOf(relays).forEach(Relay::lineChanged));
  }

  /// Of the event loop, for whoever watches its load.
  public List<Long> threadIds() {
    return List.of(((SingleThreadEventExecutor) server.eventLoop()).threadProperties().id());
  }

  @Override
  public void close() {
    server.close().syncUninterruptibly();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
