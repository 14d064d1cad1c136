package io.penstock.agent.link;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.penstock.codec.Protocol;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.session.Scratch;
import java.util.concurrent.TimeUnit;

/// The one event loop of an agent, and what its sessions share: tunnels and calls to systems run
/// here, so that nothing of a stream crosses threads.
public final class Loop implements AutoCloseable {
  private static final long CREDIT_POOL_BYTES = 16L * Protocol.MAX_CREDIT_BYTES;

  private static final long UNSENT_BYTES = 128 * 1024;

  private final EventLoopGroup group;
  private final Class<? extends Channel> channelType;
  private final EventLoop eventLoop;
  private final Scratch scratch = new Scratch();
  private final CreditPool creditPool = new CreditPool(CREDIT_POOL_BYTES);

  private Loop(EventLoopGroup group, Class<? extends Channel> channelType) {
    this.group = group;
    this.channelType = channelType;
    eventLoop = group.next();
  }

  public static Loop start() {
    boolean epoll = Epoll.isAvailable();
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return new Loop(
        new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("agent-loop"), io),
        epoll ? EpollSocketChannel.class : NioSocketChannel.class);
  }

  public EventLoop eventLoop() {
    return eventLoop;
  }

  public Class<? extends Channel> channelType() {
    return channelType;
  }

  /// Bounds what a slow peer makes the kernel hold for it, and with it what stands before a small
  /// frame of a tunnel that carries much (`docs/decisions/0006-unsent-bytes.md`). The JDK's sockets
  /// cannot say it.
  public static void limitUnsentBytes(Bootstrap bootstrap, Class<? extends Channel> channelType) {
    if (channelType == EpollSocketChannel.class) {
      bootstrap.option(EpollChannelOption.TCP_NOTSENT_LOWAT, UNSENT_BYTES);
    }
  }

  Scratch scratch() {
    return scratch;
  }

  CreditPool creditPool() {
    return creditPool;
  }

  @Override
  public void close() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
