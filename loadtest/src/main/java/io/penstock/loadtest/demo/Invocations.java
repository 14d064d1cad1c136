package io.penstock.loadtest.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.penstock.loadtest.client.PublicApi;
import io.penstock.loadtest.client.ServerTiming;
import io.penstock.loadtest.target.BodyPattern;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;

/// What a cloud service does with the example ERP. Each call checks its answer and says what it
/// saw.
final class Invocations {
  private static final long BULK_BYTES = 100_000_000;
  private static final int SLOW_MS = 1_500;
  private static final int MAX_SMALL_BYTES = 1 << 20;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final PublicApi api;
  private final String serviceToken;
  private final String system;

  Invocations(PublicApi api, String serviceToken, String site, String system) {
    this.api = api;
    this.serviceToken = serviceToken;
    this.system = "/" + site + "/" + system;
  }

  String readsOrders() throws IOException {
    HttpResponse<InputStream> response = call("GET", "/api/orders", BodyPublishers.noBody());
    JsonNode orders = JSON.readTree(text(response));
    expect(response, 200);
    if (!orders.isArray() || orders.isEmpty()) {
      throw new IOException("expected a list of orders, found " + orders);
    }
    return orders.size() + " orders" + hops(response);
  }

  String createsOrder() throws IOException {
    String order = "{\"item\":\"hose 3/4\\\"\",\"quantity\":7}";
    HttpResponse<InputStream> response =
        call("POST", "/api/orders", BodyPublishers.ofString(order, StandardCharsets.UTF_8));
    JsonNode created = JSON.readTree(text(response));
    expect(response, 201);
    if (created.path("quantity").asInt() != 7) {
      throw new IOException("expected the order back, found " + created);
    }
    return "order " + created.path("id").asLong() + hops(response);
  }

  String downloads() throws IOException {
    long start = System.nanoTime();
    HttpResponse<InputStream> response =
        call("GET", "/bytes/" + BULK_BYTES, BodyPublishers.noBody());
    expect(response, 200);
    try (InputStream body = response.body()) {
      verify(body);
    }
    return "100 MB, every byte as it should be, " + rate(start) + hops(response);
  }

  private static void verify(InputStream body) throws IOException {
    byte[] buffer = new byte[256 << 10];
    long offset = 0;
    for (int read = body.read(buffer); read >= 0; read = body.read(buffer)) {
      int wrong = BodyPattern.mismatch(offset, buffer, read);
      if (wrong >= 0) {
        throw new IOException("byte " + (offset + wrong) + " is not the one that was sent");
      }
      offset += read;
    }
    if (offset != BULK_BYTES) {
      throw new EOFException("expected " + BULK_BYTES + " bytes, found " + offset);
    }
  }

  String uploads() throws IOException {
    PatternStream body = new PatternStream(BULK_BYTES);
    long start = System.nanoTime();
    HttpResponse<InputStream> response =
        call(
            "PUT",
            "/upload",
            BodyPublishers.fromPublisher(BodyPublishers.ofInputStream(() -> body), BULK_BYTES));
    String took = rate(start);
    JsonNode received = JSON.readTree(text(response));
    expect(response, 200);
    String sent = HexFormat.of().formatHex(body.sha256());
    if (received.path("bytes").asLong() != BULK_BYTES
        || !received.path("sha256").asText().equals(sent)) {
      throw new IOException("expected SHA-256 " + sent + ", the system counted " + received);
    }
    return "100 MB, same SHA-256 on both sides, " + took + hops(response);
  }

  String waitsForSlowSystem() throws IOException {
    HttpResponse<InputStream> response =
        call("GET", "/slow?ms=" + SLOW_MS, BodyPublishers.noBody());
    text(response);
    expect(response, 200);
    return "the system took its time" + hops(response);
  }

  String passesErrorThrough() throws IOException {
    HttpResponse<InputStream> response = call("GET", "/error", BodyPublishers.noBody());
    String body = text(response);
    expect(response, 500);
    if (response.headers().firstValue("Penstock-Error").isPresent()) {
      throw new IOException("expected the system's own error, found Penstock's: " + body);
    }
    return "500 of the system, as it said it" + hops(response);
  }

  String refusesWhatIsNotExposed() throws IOException {
    HttpResponse<InputStream> response = call("GET", "/internal/salaries", BodyPublishers.noBody());
    String body = text(response);
    expect(response, 403);
    String error = response.headers().firstValue("Penstock-Error").orElse("");
    if (!error.equals("not-exposed") || body.contains("salaries\"")) {
      throw new IOException("expected not-exposed, found " + error + ": " + body);
    }
    return "403 not-exposed, the system was not asked";
  }

  /// Neither this caller nor the broker knows the password that the system wants.
  String readsLedger(String site, String ledger) throws IOException {
    HttpResponse<InputStream> response =
        api.invoke(
            serviceToken, "GET", "/" + site + "/" + ledger + "/ledger", BodyPublishers.noBody());
    JsonNode found = JSON.readTree(text(response));
    expect(response, 200);
    return "the system knew " + found.path("user").asText() + hops(response);
  }

  private HttpResponse<InputStream> call(String method, String path, BodyPublisher body)
      throws IOException {
    return api.invoke(serviceToken, method, system + path, body);
  }

  private static void expect(HttpResponse<InputStream> response, int status) throws IOException {
    if (response.statusCode() != status) {
      throw new IOException(
          "expected "
              + status
              + ", found "
              + response.statusCode()
              + " "
              + response.headers().firstValue("Penstock-Error").orElse("by the system"));
    }
  }

  private static String text(HttpResponse<InputStream> response) throws IOException {
    try (InputStream body = response.body()) {
      return new String(body.readNBytes(MAX_SMALL_BYTES), StandardCharsets.UTF_8);
    }
  }

  private static String rate(long startNanos) {
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    return String.format(Locale.ROOT, "%.0f MB/s", BULK_BYTES / 1e6 / seconds);
  }

  private static String hops(HttpResponse<?> response) {
    String text = ServerTiming.of(response.headers()).text();
    return text.isEmpty() ? "" : "  [" + text + "]";
  }
}
