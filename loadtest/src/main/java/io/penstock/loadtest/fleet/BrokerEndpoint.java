package io.penstock.loadtest.fleet;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.penstock.codec.Protocol;
import io.penstock.codec.seal.Octets;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import javax.net.ssl.SSLException;

/// Where the fleet dials, and whom it believes.
///
/// @param rootSha256 as every enrollment token of this broker pins it
public record BrokerEndpoint(String host, int port, SslContext tls, Octets rootSha256) {
  private static final int HTTPS_PORT = 443;

  /// @param caFile the CA of the broker's certificate
  public static BrokerEndpoint of(URI url, Path caFile, Octets rootSha256) throws IOException {
    int port = url.getPort() < 0 ? HTTPS_PORT : url.getPort();
    return new BrokerEndpoint(url.getHost(), port, trusting(caFile), rootSha256);
  }

  /// As agents set it up: TLS 1.3 with a hybrid key exchange first.
  private static SslContext trusting(Path caFile) throws SSLException {
    SslContextBuilder builder =
        SslContextBuilder.forClient()
            .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
            .endpointIdentificationAlgorithm("HTTPS")
            .trustManager(caFile.toFile())
            .protocols("TLSv1.3");
    if (OpenSsl.isAvailable()) {
      builder.option(OpenSslContextOption.GROUPS, new String[] {"X25519MLKEM768", "X25519"});
    }
    return builder.build();
  }

  String hostHeader() {
    return port == HTTPS_PORT ? host : host + ":" + port;
  }

  URI tunnelUrl() {
    return URI.create("wss://" + hostHeader() + Protocol.TUNNEL_PATH);
  }
}
