package io.penstock.broker.ctl;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/// Whom a TLS connection to the broker trusts: a CA given by file, else the JDK's own list.
final class Trust {

  static String readPem(Path file) {
    try {
      String pem = Files.readString(file);
      certificates(pem);
      return pem;
    } catch (IOException e) {
      throw Failure.failed("cannot read the CA file " + file + ": " + e.getMessage());
    } catch (GeneralSecurityException e) {
      throw Failure.failed(file + " holds no certificate in PEM form");
    }
  }

  static SSLContext context(Optional<String> caPem) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, caPem.isPresent() ? managers(caPem.get()) : null, null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw Failure.failed("cannot use the CA: " + e.getMessage());
    }
  }

  /// Accepts whatever is shown: only to say what is wrong with a certificate that was refused.
  /// Nothing is ever sent over it.
  static SSLContext looking() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new Onlooker()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has TLS", e);
    }
  }

  private static TrustManager[] managers(String pem) throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    int i = 0;
    for (Certificate certificate : certificates(pem)) {
      store.setCertificateEntry("ca-" + i++, certificate);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static Collection<? extends Certificate> certificates(String pem)
      throws GeneralSecurityException {
    var found =
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8)));
    if (found.isEmpty()) {
      throw new GeneralSecurityException("no certificate");
    }
    return found;
  }

  private static final class Onlooker implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  private Trust() {}
}
