package io.penstock.broker.front;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
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

  Class<? extends Channel> domainSocket() {
    return this == EPOLL ? EpollDomainSocketChannel.class : NioDomainSocketChannel.class;
  }

  SocketAddress domainAddress(Path path) {
    return this == EPOLL
        ? new DomainSocketAddress(path.toFile())
        : UnixDomainSocketAddress.of(path);
  }
}
