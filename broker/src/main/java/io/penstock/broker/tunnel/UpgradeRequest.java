package io.penstock.broker.tunnel;

import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import io.penstock.codec.Protocol;
import io.penstock.codec.noise.Suite;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A request to become a tunnel (`docs/protocol.md`, section 1; RFC 6455, section 4.2.1).
///
/// @param subprotocol names the suite
/// @param host lower-case `Host`, for the prologue
/// @param key the client's `Sec-WebSocket-Key`
record UpgradeRequest(String subprotocol, String host, String key) {
  private static final String WEBSOCKET = "websocket";
  private static final AsciiString VERSION = AsciiString.cached("13");
  private static final int KEY_BYTES = 16;
  private static final String ACCEPT_SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

  /// Empty for anything else.
  static Optional<UpgradeRequest> of(HttpRequest request) {
    HttpHeaders fields = request.headers();
    boolean upgrade =
        request.method().equals(HttpMethod.GET)
            && request.protocolVersion().equals(HttpVersion.HTTP_1_1)
            && fields.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
            && fields.containsValue(HttpHeaderNames.UPGRADE, WEBSOCKET, true)
            && VERSION.contentEquals(value(fields, HttpHeaderNames.SEC_WEBSOCKET_VERSION));
    String key = value(fields, HttpHeaderNames.SEC_WEBSOCKET_KEY);
    String host = value(fields, HttpHeaderNames.HOST).toLowerCase(Locale.ROOT);
    if (!upgrade || !isKey(key) || host.isEmpty()) {
      return Optional.empty();
    }
    return subprotocol(fields).map(name -> new UpgradeRequest(name, host, key));
  }

  /// The only value of a field; empty when there is none or more than one.
  private static String value(HttpHeaders fields, AsciiString name) {
    List<String> values = fields.getAll(name);
    return values.size() == 1 ? values.getFirst().strip() : "";
  }

  private static boolean isKey(String key) {
    try {
      return Base64.getDecoder().decode(key).length == KEY_BYTES;
    } catch (IllegalArgumentException noBase64) {
      return false;
    }
  }

  /// The first of ours that the agent names.
  private static Optional<String> subprotocol(HttpHeaders fields) {
    for (String value : fields.getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL)) {
      for (String name : value.split(",", -1)) {
        String stripped = name.strip();
        if (stripped.equals(Protocol.SUBPROTOCOL_CONNECT)
            || stripped.equals(Protocol.SUBPROTOCOL_ENROLL)) {
          return Optional.of(stripped);
        }
      }
    }
    return Optional.empty();
  }

  Suite suite() {
    return subprotocol.equals(Protocol.SUBPROTOCOL_ENROLL) ? Suite.XXHFS_PSK3 : Suite.XXHFS;
  }

  /// Binds version, suite and host into the handshake.
  byte[] prologue() {
    return ("penstock/1 " + subprotocol + " " + host).getBytes(StandardCharsets.US_ASCII);
  }

  /// 101. No extension is ever negotiated.
  HttpResponse accepted() {
    var response =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS);
    response
        .headers()
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
        .set(HttpHeaderNames.UPGRADE, WEBSOCKET)
        .set(HttpHeaderNames.SEC_WEBSOCKET_ACCEPT, accept())
        .set(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL, subprotocol);
    return response;
  }

  private String accept() {
    try {
      byte[] salted = (key + ACCEPT_SALT).getBytes(StandardCharsets.US_ASCII);
      return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-1").digest(salted));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
