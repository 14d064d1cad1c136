package io.penstock.broker.front;

import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/// Who is at the other end of a connection.
public final class Peer {
  private Peer() {}

  /// Its address; loopback for what has none.
  public static InetAddress of(Channel channel) {
    return channel.remoteAddress() instanceof InetSocketAddress remote
        ? remote.getAddress()
        : InetAddress.getLoopbackAddress();
  }
}
