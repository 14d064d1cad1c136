package io.penstock.broker.front;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.AsciiString;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;

/// The fields of a message that goes from one connection to another: hop-by-hop fields end here,
/// and what a client claims about its own origin does not count (the API believes
/// `X-Forwarded-For`).
final class ForwardedFields {
  private static final List<AsciiString> HOP_BY_HOP =
      List.of(
          HttpHeaderNames.CONNECTION,
          AsciiString.cached("keep-alive"),
          AsciiString.cached("proxy-connection"),
          HttpHeaderNames.PROXY_AUTHORIZATION,
          HttpHeaderNames.PROXY_AUTHENTICATE,
          HttpHeaderNames.TE,
          HttpHeaderNames.TRAILER,
          HttpHeaderNames.UPGRADE);

  private static final AsciiString FORWARDED = AsciiString.cached("forwarded");
  private static final AsciiString REAL_IP = AsciiString.cached("x-real-ip");
  private static final String X_FORWARDED = "x-forwarded-";
  private static final AsciiString X_FORWARDED_FOR = AsciiString.cached("x-forwarded-for");
  private static final AsciiString X_FORWARDED_PROTO = AsciiString.cached("x-forwarded-proto");

  private ForwardedFields() {}

  static void ofRequest(HttpRequest request, InetAddress peer, boolean tls) {
    HttpHeaders fields = request.headers();
    removeHopByHop(fields);
    fields.remove(HttpHeaderNames.EXPECT).remove(FORWARDED).remove(REAL_IP);
    for (String name : fields.names()) {
      // An underscore reads as a dash in more than one framework.
      if (name.toLowerCase(Locale.ROOT).replace('_', '-').startsWith(X_FORWARDED)) {
        fields.remove(name);
      }
    }
    fields.set(X_FORWARDED_FOR, peer.getHostAddress());
    fields.set(X_FORWARDED_PROTO, tls ? "https" : "http");
  }

  static void ofResponse(HttpResponse response) {
    removeHopByHop(response.headers());
  }

  private static void removeHopByHop(HttpHeaders fields) {
    for (String value : fields.getAll(HttpHeaderNames.CONNECTION)) {
      for (String named : value.split(",", -1)) {
        String name = named.strip();
        boolean framing =
            name.equalsIgnoreCase("transfer-encoding") || name.equalsIgnoreCase("content-length");
        if (!name.isEmpty() && !framing) {
          fields.remove(name);
        }
      }
    }
    HOP_BY_HOP.forEach(fields::remove);
  }
}
