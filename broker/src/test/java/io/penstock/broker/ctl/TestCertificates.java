package io.penstock.broker.ctl;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Date;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// A CA of this test run and one server certificate for `localhost` by it.
public record TestCertificates(X509Certificate ca, X509Certificate server, KeyPair serverKeys) {

  /// Made once: keys take time.
  public static TestCertificates ofThisRun() {
    return OfThisRun.CERTIFICATES;
  }

  private static final class OfThisRun {
    static final TestCertificates CERTIFICATES = made();

    private static TestCertificates made() {
      try {
        return validUntil(Instant.now().plus(300, ChronoUnit.DAYS));
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  static TestCertificates validUntil(Instant end) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(256);
    KeyPair caKeys = generator.generateKeyPair();
    KeyPair serverKeys = generator.generateKeyPair();
    X509Certificate ca =
        certificate(
            "CN=test CA",
            caKeys,
            "CN=test CA",
            caKeys,
            Instant.now().plus(400, ChronoUnit.DAYS),
            true);
    X509Certificate server =
        certificate("CN=localhost", serverKeys, "CN=test CA", caKeys, end, false);
    return new TestCertificates(ca, server, serverKeys);
  }

  public String caPem() {
    try {
      return "-----BEGIN CERTIFICATE-----\n"
          + Base64.getMimeEncoder().encodeToString(ca.getEncoded())
          + "\n-----END CERTIFICATE-----\n";
    } catch (java.security.cert.CertificateEncodingException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The server's key and certificate.
  public KeyStore serverStore(char[] password) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry("server", serverKeys.getPrivate(), password, new Certificate[] {server, ca});
    return store;
  }

  SSLContext serverContext() throws Exception {
    char[] password = "test".toCharArray();
    KeyStore store = serverStore(password);
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    return context;
  }

  private static X509Certificate certificate(
      String subject, KeyPair keys, String issuer, KeyPair issuerKeys, Instant end, boolean isCa)
      throws Exception {
    Instant start =
        end.isBefore(Instant.now())
            ? end.minus(10, ChronoUnit.DAYS)
            : Instant.now().minus(1, ChronoUnit.DAYS);
    var builder =
        new JcaX509v3CertificateBuilder(
            new X500Name(issuer),
            BigInteger.valueOf(System.nanoTime()),
            Date.from(start),
            Date.from(end),
            new X500Name(subject),
            keys.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(isCa));
    if (!isCa) {
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(new GeneralName(GeneralName.dNSName, "localhost")));
    }
    return new JcaX509CertificateConverter()
        .getCertificate(
            builder.build(
                new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKeys.getPrivate())));
  }
}
