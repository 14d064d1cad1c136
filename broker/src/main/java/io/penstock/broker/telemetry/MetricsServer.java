package io.penstock.broker.telemetry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `GET /metrics` and `GET /health/live`, on loopback. The JDK's server on threads of its own: it
/// must answer when an event loop does not.
public final class MetricsServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MetricsServer.class);
  private static final int BACKLOG = 16;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Metrics metrics;

  private record Page(int status, String type, String body) {
    static Page text(int status, String body) {
      return new Page(status, "text/plain", body);
    }
  }

  private MetricsServer(HttpServer server, Metrics metrics) {
    this.server = server;
    this.metrics = metrics;
  }

  /// Empty when the port is taken, which is a warning and no end.
  public static Optional<MetricsServer> start(InetSocketAddress address, Metrics metrics) {
    try {
      var running = new MetricsServer(HttpServer.create(address, BACKLOG), metrics);
      running.server.setExecutor(running.threads);
      running.server.createContext("/", running::answer);
      running.server.start();
      LOG.info("metrics on http://{}:{}/metrics", address.getHostString(), running.port());
      return Optional.of(running);
    } catch (IOException taken) {
      LOG.warn("metrics port {} is taken: no metrics ({})", address.getPort(), taken.getMessage());
      return Optional.empty();
    }
  }

  int port() {
    return server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      Page page = page(exchange.getRequestMethod(), exchange.getRequestURI().getRawPath());
      byte[] body = page.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", page.type());
      exchange.sendResponseHeaders(page.status(), body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private Page page(String method, String path) {
    if (!method.equals("GET")) {
      return Page.text(405, "GET only\n");
    }
    return switch (path) {
      case "/metrics" -> new Page(200, "text/plain; version=0.0.4; charset=utf-8", metrics.text());
      case "/health/live" -> Page.text(200, "ok\n");
      default -> Page.text(404, "not found\n");
    };
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
