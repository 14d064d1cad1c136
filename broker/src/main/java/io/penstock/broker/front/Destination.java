package io.penstock.broker.front;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// Who answers a request. The path is compared as it stands on the wire: what is spelled in any
/// other way than these exact beginnings is the API's, which does not know it.
enum Destination {
  TUNNEL,
  EDGE,
  API,
  /// Nobody yet: raw connections through CONNECT.
  NOBODY;

  private static final String TUNNEL_PATH = "/tunnel/v1";
  private static final String INVOCATIONS = "/invoke/";
  private static final List<String> HEALTH = List.of("/health/", "/api/v1/health/");

  /// What agents without a tunnel call; not what operators do with them.
  private static final Pattern GATEWAYS =
      Pattern.compile(
          "/api/v1/gateways/(enroll|token|token/renew|[A-Za-z0-9._-]{1,63}/"
              + "(proof|heartbeat|config/current))(\\?.*)?");

  /// @param ingressHost whether a Host belongs to the ingress domain, where every path is an
  ///     invocation
  static Destination of(HttpRequest request, Predicate<String> ingressHost) {
    String target = request.uri();
    if (request.method().equals(HttpMethod.CONNECT)) {
      return NOBODY;
    }
    String host = request.headers().get(HttpHeaderNames.HOST);
    if (target.startsWith(INVOCATIONS) || (host != null && ingressHost.test(host))) {
      return EDGE;
    }
    return target.equals(TUNNEL_PATH) ? TUNNEL : API;
  }

  /// Agents dial from anywhere, and whoever watches the broker sees whether it lives.
  boolean isForEveryAddress(HttpRequest request) {
    return switch (this) {
      case TUNNEL -> true;
      case API ->
          HEALTH.stream().anyMatch(request.uri()::startsWith)
              || GATEWAYS.matcher(request.uri()).matches();
      case EDGE, NOBODY -> false;
    };
  }
}
