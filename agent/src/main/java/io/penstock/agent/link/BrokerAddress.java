package io.penstock.agent.link;

import io.penstock.codec.Protocol;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;

/// Where a broker is dialled: the host and port of its URL.
public record BrokerAddress(String host, int port) {
  private static final int HTTPS_PORT = 443;

  public BrokerAddress {
    host = host.toLowerCase(Locale.ROOT);
    if (host.isEmpty() || port < 1 || port > 65_535) {
      throw new IllegalArgumentException("expected a host and a port from 1 to 65535");
    }
  }

  /// `https://host[:port]`, or the same with `wss`. Empty for anything else.
  public static Optional<BrokerAddress> parse(String url) {
    return parse(url, "https", HTTPS_PORT).or(() -> parse(url, "wss", HTTPS_PORT));
  }

  /// `http://host:port` of a proxy.
  public static Optional<BrokerAddress> parseProxy(String url) {
    return parse(url, "http", 80);
  }

  private static Optional<BrokerAddress> parse(String text, String scheme, int defaultPort) {
    try {
      var url = new URI(text);
      String path = url.getRawPath();
      boolean plain =
          scheme.equalsIgnoreCase(url.getScheme())
              && url.getHost() != null
              && url.getRawUserInfo() == null
              && (path == null || path.isEmpty() || path.equals("/"))
              && url.getRawQuery() == null
              && url.getRawFragment() == null;
      return plain
          ? Optional.of(
              new BrokerAddress(url.getHost(), url.getPort() < 0 ? defaultPort : url.getPort()))
          : Optional.empty();
    } catch (URISyntaxException | IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /// Host header and prologue (`docs/protocol.md`, section 1).
  public String hostHeader() {
    return port == HTTPS_PORT ? host : host + ":" + port;
  }

  /// The name to resolve and to find in the certificate; an IPv6 literal without its brackets.
  public String hostName() {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  public URI tunnelUrl() {
    return URI.create("wss://" + hostHeader() + Protocol.TUNNEL_PATH);
  }

  public String url() {
    return "https://" + hostHeader();
  }

  @Override
  public String toString() {
    return hostHeader();
  }
}
