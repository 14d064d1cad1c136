package io.penstock.loadtest.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/// One broker's API and invocations, over a TLS connection that trusts that broker's CA.
public final class PublicApi implements AutoCloseable {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final URI url;
  private final HttpClient client;
  private volatile String token = "";

  private PublicApi(URI url, HttpClient client) {
    this.url = url;
    this.client = client;
  }

  public static PublicApi of(URI url, Path caFile) {
    HttpClient client =
        HttpClient.newBuilder()
            .sslContext(trusting(caFile))
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    return new PublicApi(url, client);
  }

  public URI url() {
    return url;
  }

  public static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  /// Signs in; later calls carry the token.
  public void login(String email, String password) throws IOException {
    JsonNode answer = post("/auth/login", object().put("email", email).put("password", password));
    token = answer.path("token").asText();
  }

  public boolean isReady() {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(url.resolve("/health/ready")).timeout(CONNECT_TIMEOUT).build();
      return send(request, BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException notYet) {
      return false;
    }
  }

  public JsonNode get(String path) throws IOException {
    return call("GET", path, null);
  }

  public JsonNode post(String path, JsonNode body) throws IOException {
    return call("POST", path, body);
  }

  public JsonNode put(String path, JsonNode body) throws IOException {
    return call("PUT", path, body);
  }

  public JsonNode delete(String path) throws IOException {
    return call("DELETE", path, null);
  }

  /// Throws [ApiException] for any answer that is not 2xx.
  private JsonNode call(String method, String path, @Nullable JsonNode body) throws IOException {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create(url + "/api/v1" + path)).timeout(ANSWER_TIMEOUT);
    if (!token.isEmpty()) {
      builder.header("Authorization", "Bearer " + token);
    }
    if (body == null) {
      builder.method(method, BodyPublishers.noBody());
    } else {
      builder.header("Content-Type", "application/json");
      builder.method(method, BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
    }
    HttpResponse<byte[]> response = send(builder.build(), BodyHandlers.ofByteArray());
    if (response.statusCode() / 100 != 2) {
      throw new ApiException(
          method + " " + path,
          response.statusCode(),
          new String(response.body(), StandardCharsets.UTF_8));
    }
    return response.body().length == 0 ? object() : JSON.readTree(response.body());
  }

  /// An answer that goes on, such as the live feed; closing it ends it.
  public InputStream stream(String path) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + "/api/v1" + path))
            .header("Authorization", "Bearer " + token)
            .build();
    HttpResponse<InputStream> response = send(request, BodyHandlers.ofInputStream());
    if (response.statusCode() != 200) {
      try (InputStream body = response.body()) {
        throw new ApiException(
            "GET " + path,
            response.statusCode(),
            new String(body.readAllBytes(), StandardCharsets.UTF_8));
      }
    }
    return response.body();
  }

  /// A call through the tunnel, with a service account's token; `path` begins after `/invoke`.
  public HttpResponse<InputStream> invoke(
      String serviceToken, String method, String path, HttpRequest.BodyPublisher body)
      throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + "/invoke" + path))
            .header("Authorization", "Bearer " + serviceToken)
            .method(method, body)
            .build();
    return send(request, BodyHandlers.ofInputStream());
  }

  private <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler) throws IOException {
    try {
      return client.send(request, handler);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static SSLContext trusting(Path caFile) {
    try (InputStream pem = Files.newInputStream(caFile)) {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int i = 0;
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        store.setCertificateEntry("ca-" + i++, certificate);
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, factory.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("cannot trust the CA in " + caFile, e);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
