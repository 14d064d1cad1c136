package io.penstock.loadtest.fault;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.penstock.loadtest.client.PublicApi;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The door of an identity provider: it says where it is, and notes who was sent to it. What is
/// behind a real one's is in `OidcIT`.
final class ProviderDoor implements AutoCloseable {
  private final HttpServer server;
  private final List<URI> visitors = new CopyOnWriteArrayList<>();

  private ProviderDoor(HttpServer server) {
    this.server = server;
  }

  static ProviderDoor open() {
    try {
      var door =
          new ProviderDoor(
              HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
      door.begin();
      return door;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void begin() {
    server.createContext(
        "/.well-known/openid-configuration",
        exchange -> answer(exchange, "application/json", configuration()));
    server.createContext(
        "/keys", exchange -> answer(exchange, "application/json", "{\"keys\":[]}"));
    server.createContext(
        "/auth",
        exchange -> {
          visitors.add(exchange.getRequestURI());
          answer(
              exchange,
              "text/html",
              "<!doctype html><link rel=icon href=data:,><h1>Plant Login</h1>");
        });
    server.start();
  }

  String issuer() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /// By which addresses.
  List<URI> visitors() {
    return visitors;
  }

  private String configuration() {
    return PublicApi.object()
        .put("issuer", issuer())
        .put("authorization_endpoint", issuer() + "/auth")
        .put("token_endpoint", issuer() + "/token")
        .put("jwks_uri", issuer() + "/keys")
        .toString();
  }

  private static void answer(HttpExchange exchange, String type, String body) throws IOException {
    try (exchange) {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
