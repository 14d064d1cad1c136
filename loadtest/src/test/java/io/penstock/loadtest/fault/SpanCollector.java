package io.penstock.loadtest.fault;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;

/// A collector of OpenTelemetry as far as a test needs one: takes OTLP over HTTP and keeps who is
/// whose child. Reads the protocol's bytes itself (`opentelemetry/proto/trace/v1/trace.proto`), so
/// that what is sent is what another program would understand.
final class SpanCollector implements AutoCloseable {
  private final HttpServer server;
  private final List<Span> spans = new CopyOnWriteArrayList<>();

  /// @param parent empty = a root
  record Span(String trace, String id, String parent, String name) {}

  SpanCollector() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
    server.createContext("/v1/traces", this::take);
    server.start();
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1/traces");
  }

  List<Span> spans() {
    return spans;
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
      InputStream body = exchange.getRequestBody();
      byte[] bytes = (zipped ? new GZIPInputStream(body) : body).readAllBytes();
      // ExportTraceServiceRequest.resource_spans, .scope_spans, .spans
      for (byte[] resource : new Message(bytes).fields(1)) {
        for (byte[] scope : new Message(resource).fields(2)) {
          new Message(scope).fields(2).forEach(this::span);
        }
      }
      exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
      exchange.sendResponseHeaders(200, -1);
    }
  }

  private void span(byte[] bytes) {
    var span = new Message(bytes);
    spans.add(
        new Span(
            hex(span.field(1)),
            hex(span.field(2)),
            hex(span.field(4)),
            new String(span.field(5), StandardCharsets.UTF_8)));
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /// One message of protocol buffers: its fields of bytes, by number.
  private record Message(byte[] bytes) {
    byte[] field(int number) {
      List<byte[]> all = fields(number);
      return all.isEmpty() ? new byte[0] : all.getFirst();
    }

    List<byte[]> fields(int number) {
      List<byte[]> found = new CopyOnWriteArrayList<>();
      int[] at = {0};
      while (at[0] < bytes.length) {
        long key = varint(at);
        switch ((int) key & 7) {
          case 0 -> varint(at);
          case 1 -> at[0] += 8;
          case 5 -> at[0] += 4;
          case 2 -> {
            int length = (int) varint(at);
            if (key >>> 3 == number) {
              byte[] value = new byte[length];
              System.arraycopy(bytes, at[0], value, 0, length);
              found.add(value);
            }
            at[0] += length;
          }
          default -> throw new IllegalArgumentException("expected a wire type, found " + key);
        }
      }
      return found;
    }

    private long varint(int[] at) {
      long value = 0;
      for (int shift = 0; ; shift += 7) {
        byte one = bytes[at[0]++];
        value |= (long) (one & 0x7f) << shift;
        if (one >= 0) {
          return value;
        }
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
