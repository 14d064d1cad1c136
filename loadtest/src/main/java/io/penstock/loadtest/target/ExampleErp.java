package io.penstock.loadtest.target;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The example on-premise system: plain HTTP/1.1 on loopback, in the demo, in end-to-end tests, and
/// as the origin of benchmarks.
public final class ExampleErp implements AutoCloseable {
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(256 << 10, 1 << 20);

  private final EventLoopGroup loops;
  private final Channel server;
  private final ErpRoutes routes;

  private ExampleErp(EventLoopGroup loops, Channel server, ErpRoutes routes) {
    this.loops = loops;
    this.server = server;
    this.routes = routes;
  }

  /// Listens on 127.0.0.1; port 0 takes a free one.
  public static ExampleErp start(int port) {
    boolean epoll = Epoll.isAvailable();
    EventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(
            2, epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    ErpRoutes routes = new ErpRoutes();
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops)
            .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 4096)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    ErpConnection.addTo(channel.pipeline(), routes);
                  }
                });
    try {
      Channel server =
          bootstrap
              .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
              .syncUninterruptibly()
              .channel();
      return new ExampleErp(loops, server, routes);
    } catch (RuntimeException e) {
      var _ = loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      throw e;
    }
  }

  public int port() {
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  public String url() {
    return "http://127.0.0.1:" + port();
  }

  public Visits visits() {
    return routes.visits();
  }

  /// For `/ledger`.
  public Logins logins() {
    return routes.logins();
  }

  private void join() {
    server.closeFuture().syncUninterruptibly();
  }

  @Override
  public void close() {
    server.close().syncUninterruptibly();
    loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
  }

  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  /// As a process of its own, for tests that kill it.
  @Command(
      name = "example-erp",
      mixinStandardHelpOptions = true,
      description = "The example on-premise system, plain HTTP/1.1 on 127.0.0.1.")
  static final class Main implements Callable<Integer> {
    @Option(
        names = "--port",
        paramLabel = "PORT",
        description = "Port; 0 takes a free one (default).")
    int port;

    @Override
    public Integer call() {
      try (ExampleErp erp = start(port)) {
        System.out.println("listening " + erp.port());
        erp.join();
      }
      return 0;
    }
  }
}
