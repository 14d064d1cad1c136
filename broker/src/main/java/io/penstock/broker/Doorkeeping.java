package io.penstock.broker;

import io.netty.handler.codec.http.HttpRequest;
import io.penstock.broker.access.Blocks;
import io.penstock.broker.config.Networks;
import io.penstock.broker.front.Doorkeeper;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Lets the public port ask `broker.access` who is let in, and believes `X-Forwarded-For` only from
/// proxies that the configuration names.
record Doorkeeping(Blocks blocks, Networks trustedProxies) implements Doorkeeper {
  private static final String FORWARDED_FOR = "X-Forwarded-For";
  private static final List<String> SPELLINGS = List.of("v4", "v6", "bracketed");
  private static final Pattern HOP =
      Pattern.compile(
          "(?<v4>\\d{1,3}(?:\\.\\d{1,3}){3})(?::\\d{1,5})?"
              + "|(?<v6>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)"
              + "|\\[(?<bracketed>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)](?::\\d{1,5})?");

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
      Optional<InetAddress> said = address(hop.strip());
      if (said.isEmpty()) {
        return nearest;
      }
      nearest = said.get();
      if (!trustedProxies.hold(nearest)) {
        return nearest;
      }
    }
    return nearest;
  }

  /// `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5678`, without any
  /// other spelling: zones, or numbers that stand for an address.
  private static Optional<InetAddress> address(String hop) {
    Matcher read = HOP.matcher(hop);
    if (!read.matches()) {
      return Optional.empty();
    }
    for (String spelling : SPELLINGS) {
      String literal = read.group(spelling);
      if (literal != null) {
        return parsed(literal);
      }
    }
    return Optional.empty();
  }

  private static Optional<InetAddress> parsed(String literal) {
    try {
      return Optional.of(InetAddress.ofLiteral(literal));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  @Override
  public boolean admitsConnection(InetAddress peer) {
    return !blocks.isBlocked(peer);
  }

  @Override
  public boolean admits(InetAddress client, boolean fromAnywhere) {
    return fromAnywhere ? !blocks.isBlocked(client) : blocks.admits(client);
  }
}
