package io.penstock.broker.ctl;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/// A real HTTPS server that speaks recorded answers of the contract, and remembers what it was
/// asked.
final class FakeBroker implements AutoCloseable {
  private final HttpsServer server;
  private final TestCertificates certificates;
  private final Map<String, Deque<Answer>> answers = new HashMap<>();
  private final List<Asked> asked = new CopyOnWriteArrayList<>();

  record Answer(int status, Map<String, String> headers, String body) {}

  record Asked(String line, String authorization, Map<String, List<String>> headers, String body) {}

  private FakeBroker(HttpsServer server, TestCertificates certificates) {
    this.server = server;
    this.certificates = certificates;
  }

  static FakeBroker start() throws Exception {
    return start(TestCertificates.ofThisRun());
  }

  static FakeBroker start(TestCertificates certificates) throws Exception {
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(certificates.serverContext()));
    FakeBroker broker = new FakeBroker(server, certificates);
    server.createContext("/", broker::handle);
    server.start();
    return broker;
  }

  URI url() {
    return URI.create("https://localhost:" + server.getAddress().getPort());
  }

  int port() {
    return server.getAddress().getPort();
  }

  String caPem() {
    return certificates.caPem();
  }

  /// The answers to one request line, in order; the last one stays.
  FakeBroker when(String line, int status, String body) {
    return when(line, status, Map.of(), body);
  }

  FakeBroker when(String line, int status, Map<String, String> headers, String body) {
    answers.computeIfAbsent(line, _ -> new ArrayDeque<>()).add(new Answer(status, headers, body));
    return this;
  }

  List<Asked> asked() {
    return List.copyOf(asked);
  }

  Asked lastAsked() {
    return asked.getLast();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String line = exchange.getRequestMethod() + " " + exchange.getRequestURI();
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      asked.add(
          new Asked(
              line,
              authorization == null ? "" : authorization,
              Map.copyOf(exchange.getRequestHeaders()),
              body));
      Answer answer = answerTo(line);
      answer.headers().forEach(exchange.getResponseHeaders()::set);
      byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private Answer answerTo(String line) {
    Deque<Answer> recorded = answers.get(line);
    if (recorded == null) {
      return new Answer(404, Map.of(), "{\"title\":\"nothing recorded for this request\"}");
    }
    return recorded.size() > 1 ? recorded.removeFirst() : recorded.getFirst();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
