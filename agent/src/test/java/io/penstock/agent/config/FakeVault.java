package io.penstock.agent.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/// Not Vault: a server of its own that models what the agent uses of one, AppRole login, token
/// renewal, and KV version 2 reads, as Vault's HTTP API documents them. A real one cannot be had
/// here.
final class FakeVault implements AutoCloseable {
  static final String ROLE = "penstock";
  static final String SECRET_ID = "secret-id-canary";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final Map<String, Map<String, String>> secrets = new ConcurrentHashMap<>();
  private final Set<String> tokens = new HashSet<>();
  private final List<String> log = new CopyOnWriteArrayList<>();
  private int issued;
  private volatile int leaseSeconds = 3600;
  private volatile boolean sealed;
  private volatile boolean dribbles;
  private final CountDownLatch closed = new CountDownLatch(1);

  FakeVault() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/v1/", this::answer);
    server.start();
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  void put(String path, String key, String value) {
    secrets.put(path, Map.of(key, value));
  }

  void lease(int seconds) {
    leaseSeconds = seconds;
  }

  /// Vault's 503.
  void seal(boolean is) {
    sealed = is;
  }

  /// Secrets begin to come, and never end.
  void dribble(boolean is) {
    dribbles = is;
  }

  /// No token counts any more.
  synchronized void revokeTokens() {
    tokens.clear();
  }

  List<String> log() {
    return List.copyOf(log);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath().substring("/v1/".length());
      byte[] request = exchange.getRequestBody().readAllBytes();
      String token = exchange.getRequestHeaders().getFirst("X-Vault-Token");
      log.add(exchange.getRequestMethod() + " " + path);
      if (sealed) {
        send(exchange, 503, "{\"errors\":[\"Vault is sealed\"]}");
      } else if (path.equals("auth/approle/login")) {
        login(exchange, JSON.readTree(request));
      } else if (token == null || !isKnown(token)) {
        send(exchange, 403, "{\"errors\":[\"permission denied\"]}");
      } else if (path.equals("auth/token/renew-self")) {
        send(exchange, 200, auth(token));
      } else {
        read(exchange, path);
      }
    }
  }

  private synchronized boolean isKnown(String token) {
    return tokens.contains(token);
  }

  private void login(HttpExchange exchange, JsonNode request) throws IOException {
    if (!request.path("role_id").asText().equals(ROLE)
        || !request.path("secret_id").asText().equals(SECRET_ID)) {
      send(exchange, 400, "{\"errors\":[\"invalid role or secret ID\"]}");
      return;
    }
    String token;
    synchronized (this) {
      token = "token-" + ++issued;
      tokens.add(token);
    }
    send(exchange, 200, auth(token));
  }

  private String auth(String token) {
    return "{\"auth\":{\"client_token\":\""
        + token
        + "\",\"renewable\":true,\"lease_duration\":"
        + leaseSeconds
        + "}}";
  }

  /// `MOUNT/data/PATH`.
  private void read(HttpExchange exchange, String path) throws IOException {
    Map<String, String> found = secrets.get(path.replaceFirst("/data/", "/"));
    if (found == null || !path.contains("/data/")) {
      send(exchange, 404, "{\"errors\":[]}");
      return;
    }
    if (dribbles) {
      exchange.sendResponseHeaders(200, 1_000_000);
      exchange.getResponseBody().write('{');
      exchange.getResponseBody().flush();
      awaitClosed();
      return;
    }
    send(
        exchange,
        200,
        "{\"data\":{\"data\":"
            + JSON.writeValueAsString(found)
            + ",\"metadata\":{\"version\":1}}}");
  }

  private void awaitClosed() throws IOException {
    try {
      closed.await();
    } catch (InterruptedException stopped) {
      throw new IOException(stopped);
    }
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
  }
}
