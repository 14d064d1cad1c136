package io.penstock.broker.front;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/// The socket classes that fit an event loop group: epoll's, or the JDK's.
enum Transport {
  EPOLL,
  NIO;

  private static final long UNSENT_BYTES = 128 * 1024;

  static Transport of(EventLoopGroup group) {
    boolean epoll =
        Epoll.isAvailable()
            && group instanceof IoEventLoopGroup io
            && io.isIoType(EpollIoHandler.class);
    return epoll ? EPOLL : NIO;
  }

  Class<? extends ServerChannel> serverSocket() {
    return this == EPOLL ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  /// Bounds what a peer that reads slowly, or not at all, makes the kernel hold for it, and with it
  /// what stands before a small frame of a tunnel that carries much
  /// (`docs/decisions/0006-unsent-bytes.md`). The JDK's sockets cannot say it.
  void limitUnsentBytes(ServerBootstrap bootstrap) {
    if (this == EPOLL) {
      bootstrap.childOption(EpollChannelOption.TCP_NOTSENT_LOWAT, UNSENT_BYTES);
    }
  }

  Class<? extends Channel> domainSocket() {
    return this == EPOLL ? EpollDomainSocketChannel.class : NioDomainSocketChannel.class;
  }

  SocketAddress domainAddress(Path path) {
    return this == EPOLL
        ? new DomainSocketAddress(path.toFile())
        : UnixDomainSocketAddress.of(path);
  }
}
