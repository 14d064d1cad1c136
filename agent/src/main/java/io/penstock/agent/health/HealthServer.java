package io.penstock.agent.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Executors;

/// `/metrics`, `/health`, `/health/live` and `/health/ready` on loopback. The JDK's server on
/// threads of its own: it must answer when the event loop does not.
final class HealthServer implements AutoCloseable {
  private static final int BACKLOG = 16;

  private final HttpServer server;
  private final Pages pages;

  private record Page(int status, String type, String body) {}

  private HealthServer(HttpServer server, Pages pages) {
    this.server = server;
    this.pages = pages;
  }

  /// Empty when the port is taken.
  static Optional<HealthServer> start(int port, Pages pages) {
    try {
      var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
      var running = new HealthServer(HttpServer.create(address, BACKLOG), pages);
      running.server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
      running.server.createContext("/", running::answer);
      running.server.start();
      return Optional.of(running);
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  int port() {
    return server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      Page page = page(exchange.getRequestMethod(), exchange.getRequestURI().getPath());
      byte[] body = page.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", page.type());
      exchange.sendResponseHeaders(page.status(), body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private Page page(String method, String path) {
    if (!method.equals("GET")) {
      return new Page(405, "text/plain", "GET only\n");
    }
    return switch (path) {
      case "/metrics" -> new Page(200, "text/plain; version=0.0.4", pages.metrics());
      case "/health" -> new Page(pages.isReady() ? 200 : 503, "application/json", pages.health());
      case "/health/live" -> new Page(200, "text/plain", "ok\n");
      case "/health/ready" ->
          pages.isReady()
              ? new Page(200, "text/plain", "ok\n")
              : new Page(503, "text/plain", "connecting\n");
      default -> new Page(404, "text/plain", "not found\n");
    };
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
