package io.penstock.agent.plugin.http;

import io.netty.util.AsciiString;
import io.penstock.codec.http.InvocationPath;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;

/// Where a system stands, from its `base_url`.
///
/// @param host name or address; an IPv6 address without its brackets
/// @param authority what its `Host` field says
/// @param basePath goes in front of every path byte for byte; without a slash at its end
record Origin(boolean tls, String host, int port, AsciiString authority, AsciiString basePath) {

  static Optional<Origin> of(String baseUrl) {
    try {
      return of(new URI(baseUrl));
    } catch (URISyntaxException _) {
      return Optional.empty();
    }
  }

  private static Optional<Origin> of(URI url) {
    String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
    boolean tls = scheme.equals("https");
    if ((!tls && !scheme.equals("http"))
        || url.getHost() == null
        || url.getRawUserInfo() != null
        || url.getRawQuery() != null
        || url.getRawFragment() != null
        || url.getPort() == 0
        || url.getPort() > 65_535) {
      return Optional.empty();
    }
    String path = url.getRawPath() == null ? "" : url.getRawPath();
    if (!path.isEmpty() && InvocationPath.judge(path) != InvocationPath.Judgement.CLEAN) {
      return Optional.empty();
    }
    int defaultPort = tls ? 443 : 80;
    int port = url.getPort() < 0 ? defaultPort : url.getPort();
    String authority = port == defaultPort ? url.getHost() : url.getHost() + ":" + port;
    return Optional.of(
        new Origin(
            tls,
            withoutBrackets(url.getHost()),
            port,
            AsciiString.of(authority),
            AsciiString.of(path.endsWith("/") ? path.substring(0, path.length() - 1) : path)));
  }

  private static String withoutBrackets(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }
}
