package io.penstock.broker.ctl;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/// The address of a broker, as a person types it, and paths below it.
final class BrokerUrl {

  static URI parse(String text) {
    URI url;
    try {
      url = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
    } catch (IllegalArgumentException e) {
      throw Failure.wrongUsage("not a URL: expected https://HOST[:PORT]");
    }
    if (!"https".equals(url.getScheme()) || url.getHost() == null || url.getUserInfo() != null) {
      throw Failure.wrongUsage("not a broker's URL: expected https://HOST[:PORT]");
    }
    return url;
  }

  /// One segment of a path, or a value of a query, whatever it holds. `@` may stand as it is.
  static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("%40", "@");
  }

  private BrokerUrl() {}
}
