package io.penstock.agent.config;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/// An on-premise system that answers with its name and remembers how callers proved themselves.
final class Plant implements AutoCloseable {
  private final HttpServer server;
  private final String name;
  private final List<String> credentials = new CopyOnWriteArrayList<>();
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private final CountDownLatch waiting = new CountDownLatch(1);
  private volatile int status = 200;

  Plant(String name) throws IOException {
    this.name = name;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
    server.start();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      credentials.add(
          exchange.getRequestHeaders().getOrDefault("Authorization", List.of())
              + " "
              + exchange.getRequestHeaders().getOrDefault("X-Api-Key", List.of()));
      waiting.countDown();
      gate.await();
      byte[] body = name.getBytes(StandardCharsets.US_ASCII);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException stopped) {
      throw new IOException(stopped);
    }
  }

  /// Answers wait until [#release].
  void hold() {
    gate = new CountDownLatch(1);
  }

  void release() {
    gate.countDown();
  }

  void awaitCall() throws InterruptedException {
    waiting.await();
  }

  void answerWith(int code) {
    status = code;
  }

  /// `[Authorization] [X-Api-Key]` of every call so far.
  List<String> credentials() {
    return List.copyOf(credentials);
  }

  int port() {
    return server.getAddress().getPort();
  }

  /// Settings that allow everything below `/api`.
  String settings(String... more) {
    String all = "";
    for (String each : more) {
      all += "," + each;
    }
    return "{\"base_url\":\"http://127.0.0.1:"
        + port()
        + "\",\"allow\":[{\"methods\":[\"*\"],\"paths\":[\"/api/**\"]}]"
        + all
        + "}";
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
