package io.penstock.loadtest.engine;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/// Where requests go: the URL before their path, whom to believe, and fields of every head, which
/// may hold secrets and are never printed.
public final class Endpoint {
  private static final int HTTP_PORT = 80;
  private static final int HTTPS_PORT = 443;

  private final String name;
  private final URI url;
  private final Optional<SslContext> tls;
  private final Map<String, String> fields;

  /// Whose certificate is good enough.
  public sealed interface Trust {
    /// What the JDK trusts.
    record Usual() implements Trust {}

    record CaFile(Path file) implements Trust {}

    /// Anybody's: for peers on loopback with certificates that name nobody.
    record Anybody() implements Trust {}
  }

  private Endpoint(String name, URI url, Optional<SslContext> tls, Map<String, String> fields) {
    this.name = name;
    this.url = url;
    this.tls = tls;
    this.fields = Map.copyOf(fields);
  }

  /// @param name of the target in reports
  /// @param fields of each request's head
  public static Endpoint of(String name, URI url, Trust trust, Map<String, String> fields)
      throws SSLException {
    if (!name.matches("[a-z0-9-]{1,32}")) {
      throw new IllegalArgumentException(
          "a target's name: expected 1 to 32 lower-case letters, digits and hyphens, found '"
              + name
              + "'");
    }
    boolean secure = "https".equals(url.getScheme());
    if ((!secure && !"http".equals(url.getScheme()))
        || url.getHost() == null
        || url.getRawUserInfo() != null
        || url.getRawQuery() != null
        || url.getRawFragment() != null) {
      throw new IllegalArgumentException(
          "target " + name + ": expected a URL http[s]://host[:port][/path], found another");
    }
    return new Endpoint(name, url, secure ? Optional.of(context(trust)) : Optional.empty(), fields);
  }

  private static SslContext context(Trust trust) throws SSLException {
    SslContextBuilder builder =
        SslContextBuilder.forClient()
            .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK);
    return switch (trust) {
      case Trust.Usual _ -> builder.endpointIdentificationAlgorithm("HTTPS").build();
      case Trust.CaFile ca ->
          builder.endpointIdentificationAlgorithm("HTTPS").trustManager(ca.file().toFile()).build();
      case Trust.Anybody _ ->
          builder
              .endpointIdentificationAlgorithm(null)
              .trustManager(InsecureTrustManagerFactory.INSTANCE)
              .build();
    };
  }

  public String name() {
    return name;
  }

  public URI url() {
    return url;
  }

  Optional<SslContext> tls() {
    return tls;
  }

  String host() {
    return url.getHost();
  }

  int port() {
    if (url.getPort() >= 0) {
      return url.getPort();
    }
    return tls.isPresent() ? HTTPS_PORT : HTTP_PORT;
  }

  /// Head and body of a request, as they go onto the wire.
  byte[] head(Request request) {
    String base = url.getRawPath() == null ? "" : url.getRawPath().replaceAll("/$", "");
    StringBuilder head = new StringBuilder(256);
    head.append(request.method()).append(' ').append(base).append(request.path());
    head.append(" HTTP/1.1\r\nHost: ").append(host());
    if (url.getPort() >= 0) {
      head.append(':').append(url.getPort());
    }
    head.append("\r\n");
    fields.forEach((field, value) -> head.append(field + ": " + value + "\r\n"));
    if (request.bodyBytes() > 0 || request.method().startsWith("P")) {
      head.append("Content-Length: ").append(request.bodyBytes()).append("\r\n");
    }
    return head.append("\r\n").toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  @Override
  public String toString() {
    return name + " " + url;
  }
}
