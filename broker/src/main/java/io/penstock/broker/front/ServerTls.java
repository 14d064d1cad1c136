package io.penstock.broker.front;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLException;

/// TLS of the public port: 1.3 only, hybrid post-quantum key agreement first (`docs/protocol.md`,
/// section 1), HTTP/1.1 only.
public final class ServerTls {
  private static final String[] GROUPS = {"X25519MLKEM768", "x25519"};

  private ServerTls() {}

  /// On BoringSSL; where its library is missing, on the JDK's engine, which has no hybrid groups
  /// and costs five times the CPU.
  public static SslContext of(PrivateKey key, List<X509Certificate> chain) throws SSLException {
    SslContextBuilder builder =
        SslContextBuilder.forServer(key, chain.toArray(X509Certificate[]::new))
            .protocols("TLSv1.3")
            .applicationProtocolConfig(
                new ApplicationProtocolConfig(
                    Protocol.ALPN,
                    SelectorFailureBehavior.NO_ADVERTISE,
                    SelectedListenerFailureBehavior.ACCEPT,
                    ApplicationProtocolNames.HTTP_1_1));
    return isBoringSsl()
        ? builder
            .sslProvider(SslProvider.OPENSSL)
            .option(OpenSslContextOption.GROUPS, GROUPS)
            .build()
        : builder.sslProvider(SslProvider.JDK).build();
  }

  /// For the line that the broker prints at its start.
  public static boolean isBoringSsl() {
    return OpenSsl.isAvailable();
  }
}
