package io.penstock.broker.front;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/// Who is at the other end of a connection.
public final class Peer {
  private static final AttributeKey<InetAddress> CLIENT = AttributeKey.valueOf("penstock.client");

  private Peer() {}

  /// Its address; loopback for what has none.
  public static InetAddress of(Channel channel) {
    return channel.remoteAddress() instanceof InetSocketAddress remote
        ? remote.getAddress()
        : InetAddress.getLoopbackAddress();
  }

  /// Where the request that is being answered comes from, by way of a proxy or not.
  public static InetAddress clientOf(Channel channel) {
    InetAddress client = channel.hasAttr(CLIENT) ? channel.attr(CLIENT).get() : null;
    return client == null ? of(channel) : client;
  }

  /// Most connections carry one client's requests, and need no note.
  static void setClient(Channel channel, InetAddress client) {
    if (channel.hasAttr(CLIENT) || !client.equals(of(channel))) {
      channel.attr(CLIENT).set(client);
    }
  }
}
