package io.penstock.broker;

import io.netty.handler.ssl.SslContext;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.ConfigException;
import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.config.TlsProfile;
import io.penstock.broker.front.ServerTls;
import io.penstock.broker.keys.DevelopmentTls;
import io.penstock.broker.keys.Kek;
import io.penstock.codec.seal.Octets;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the public port shows: the configured certificate, or that of the development CA.
///
/// @param caSha256 what agents pin; empty when a public CA vouches for the certificate
/// @param caFile what callers are to trust; empty likewise
/// @param chain what it shows, the server's certificate first
record TlsIdentity(
    SslContext context,
    Optional<Octets> caSha256,
    Optional<Path> caFile,
    List<X509Certificate> chain) {
  private static final Logger LOG = LoggerFactory.getLogger(TlsIdentity.class);

  static TlsIdentity of(BrokerConfig.Tls config, DataDirectory data, Kek kek, Clock clock) {
    try {
      return config.certificate().isPresent()
          ? configured(config)
          : development(config, data, kek, clock);
    } catch (SSLException | CertificateException e) {
      throw new ConfigException(
          List.of("tls: the certificate and key cannot be used: " + e.getMessage()));
    } catch (IOException e) {
      throw new ConfigException(List.of("tls: cannot read the certificate or key: " + e));
    }
  }

  private static TlsIdentity development(
      BrokerConfig.Tls config, DataDirectory data, Kek kek, Clock clock) throws SSLException {
    if (config.profile() != TlsProfile.DEVELOPMENT) {
      throw new ConfigException(
          List.of("tls.certificate: the production profile needs a real certificate and key"));
    }
    DevelopmentTls made = DevelopmentTls.open(data, kek, config.names(), clock);
    LOG.warn(
        "development profile: certificate of an own CA, to be trusted from {}",
        data.resolve("ca.pem"));
    return new TlsIdentity(
        ServerTls.of(made.serverKey(), made.chain()),
        Optional.of(made.caSha256()),
        Optional.of(data.resolve("ca.pem")),
        made.chain());
  }

  private static TlsIdentity configured(BrokerConfig.Tls config)
      throws IOException, CertificateException {
    List<X509Certificate> chain = certificates(config.certificate().orElseThrow());
    PrivateKey key = privateKey(config.privateKey().orElseThrow());
    Optional<Octets> pin = Optional.empty();
    if (config.ca().isPresent()) {
      pin = Optional.of(DevelopmentTls.sha256Of(certificates(config.ca().get()).getFirst()));
    }
    return new TlsIdentity(ServerTls.of(key, chain), pin, config.ca(), chain);
  }

  private static List<X509Certificate> certificates(Path file)
      throws IOException, CertificateException {
    try (var in = Files.newInputStream(file)) {
      List<X509Certificate> found =
          CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (found.isEmpty()) {
        throw new CertificateException(file + " holds no certificate");
      }
      return found;
    }
  }

  private static PrivateKey privateKey(Path file) throws IOException {
    try (Reader reader = Files.newBufferedReader(file);
        var parser = new PEMParser(reader)) {
      var converter = new JcaPEMKeyConverter();
      return switch (parser.readObject()) {
        case PEMKeyPair pair -> converter.getKeyPair(pair).getPrivate();
        case PrivateKeyInfo info -> converter.getPrivateKey(info);
        case null, default -> throw new IOException(file + " holds no unencrypted private key");
      };
    }
  }
}
