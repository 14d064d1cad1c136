package io.penstock.broker;

import io.netty.handler.codec.http.HttpRequest;
import io.penstock.broker.access.Blocks;
import io.penstock.broker.config.Networks;
import io.penstock.broker.front.Doorkeeper;
import java.net.InetAddress;
import java.util.List;

/// Lets the public port ask `broker.access` who is let in, and believes `X-Forwarded-For` only from
/// proxies that the configuration names.
record Doorkeeping(Blocks blocks, Networks trustedProxies) implements Doorkeeper {
  private static final String FORWARDED_FOR = "X-Forwarded-For";

  /// From the nearest hop outwards: the first address that is not a trusted proxy's is whom that
  /// proxy saw. What stands further left anybody could have written.
  @Override
  public InetAddress client(HttpRequest request, InetAddress peer) {
    if (!trustedProxies.hold(peer)) {
      return peer;
    }
    String[] hops = String.join(",", request.headers().getAll(FORWARDED_FOR)).split(",", -1);
    InetAddress nearest = peer;
    for (String hop : List.of(hops).reversed()) {
      try {
        nearest = InetAddress.ofLiteral(hop.strip());
      } catch (IllegalArgumentException _) {
        return nearest;
      }
      if (!trustedProxies.hold(nearest)) {
        return nearest;
      }
    }
    return nearest;
  }

  @Override
  public boolean admitsConnection(InetAddress peer) {
    return !blocks.isBlocked(peer);
  }

  @Override
  public boolean admits(InetAddress client, boolean agent) {
    return agent ? !blocks.isBlocked(client) : blocks.admits(client);
  }
}
