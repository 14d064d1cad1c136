package io.penstock.agent.link;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.penstock.codec.seal.Octets;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/// Whose certificates count: the operating system's trust store, the owner's CA files, and the CA
/// that the enrollment token pinned by its hash (design: enrollment). Host names are always
/// checked.
public final class TrustedTls {
  private static final List<Path> SYSTEM_BUNDLES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
          Path.of("/etc/ssl/ca-bundle.pem"),
          Path.of("/etc/ssl/cert.pem"));

  private final X509ExtendedTrustManager trust;

  private TrustedTls(X509ExtendedTrustManager trust) {
    this.trust = trust;
  }

  /// @param caFiles PEM files besides the operating system's
  public static TrustedTls of(List<Path> caFiles) throws IOException {
    try {
      return new TrustedTls(manager(store(caFiles)));
    } catch (GeneralSecurityException broken) {
      throw new IOException("cannot build the trust store: " + broken.getMessage());
    }
  }

  /// The same, and chains that show a CA of this hash.
  public TrustedTls withPin(Optional<Octets> caSha256) {
    return caSha256.isEmpty() ? this : new TrustedTls(new PinnedCa(trust, caSha256.get()));
  }

  /// For tunnels: TLS 1.3 with a hybrid key exchange first.
  public SslContext tunnelContext() throws SSLException {
    SslContextBuilder builder = builder().protocols("TLSv1.3");
    if (OpenSsl.isAvailable()) {
      builder.option(OpenSslContextOption.GROUPS, new String[] {"X25519MLKEM768", "X25519"});
    }
    return builder.build();
  }

  /// For on-premise systems, which may be older.
  public SslContext systemContext() throws SSLException {
    return builder().protocols("TLSv1.3", "TLSv1.2").build();
  }

  /// The same trust for blocking clients.
  public SSLContext clientContext() throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {trust}, null);
      return context;
    } catch (GeneralSecurityException broken) {
      throw new IOException("cannot set up TLS: " + broken.getMessage());
    }
  }

  private SslContextBuilder builder() {
    return SslContextBuilder.forClient()
        .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
        .endpointIdentificationAlgorithm("HTTPS")
        .trustManager(trust);
  }

  private static @Nullable KeyStore store(List<Path> caFiles)
      throws GeneralSecurityException, IOException {
    Optional<Path> system = SYSTEM_BUNDLES.stream().filter(Files::isReadable).findFirst();
    if (system.isEmpty() && caFiles.isEmpty()) {
      return null;
    }
    KeyStore store = emptyStore();
    if (system.isPresent()) {
      addAll(store, system.get());
    } else {
      addAll(store, manager(null).getAcceptedIssuers());
    }
    for (Path file : caFiles) {
      addAll(store, file);
    }
    return store;
  }

  private static void addAll(KeyStore store, Path pem)
      throws GeneralSecurityException, IOException {
    try (InputStream in = Files.newInputStream(pem)) {
      var certificates = CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (certificates.isEmpty()) {
        throw new IOException(pem + " holds no certificate");
      }
      addAll(store, certificates.toArray(new Certificate[0]));
    } catch (CertificateException malformed) {
      throw new IOException(pem + " is not a PEM file of certificates");
    }
  }

  private static void addAll(KeyStore store, Certificate[] certificates)
      throws GeneralSecurityException {
    for (Certificate certificate : certificates) {
      store.setCertificateEntry("ca-" + store.size(), certificate);
    }
  }

  private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    return store;
  }

  /// `null`: the JDK's own trust store.
  private static X509ExtendedTrustManager manager(@Nullable KeyStore store)
      throws GeneralSecurityException {
    var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509ExtendedTrustManager extended) {
        return extended;
      }
    }
    throw new GeneralSecurityException("the JDK has no X.509 trust manager");
  }

  /// Trusts a chain that shows the pinned CA, with this CA as its only anchor, when the usual trust
  /// says no.
  private static final class PinnedCa extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager usual;
    private final Octets pin;

    PinnedCa(X509ExtendedTrustManager usual, Octets pin) {
      this.usual = usual;
      this.pin = pin;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
        throws CertificateException {
      try {
        usual.checkServerTrusted(chain, authType, engine);
      } catch (CertificateException untrusted) {
        anchored(chain, untrusted).checkServerTrusted(chain, authType, engine);
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
        throws CertificateException {
      try {
        usual.checkServerTrusted(chain, authType, socket);
      } catch (CertificateException untrusted) {
        anchored(chain, untrusted).checkServerTrusted(chain, authType, socket);
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType)
        throws CertificateException {
      try {
        usual.checkServerTrusted(chain, authType);
      } catch (CertificateException untrusted) {
        anchored(chain, untrusted).checkServerTrusted(chain, authType);
      }
    }

    private X509ExtendedTrustManager anchored(
        X509Certificate[] chain, CertificateException untrusted) throws CertificateException {
      Optional<X509Certificate> pinned = Arrays.stream(chain).filter(this::isPinned).findFirst();
      if (pinned.isEmpty()) {
        throw new CertificateException(
            "expected a certificate of a trusted CA or of the one that the token pins, found"
                + " another ("
                + untrusted.getMessage()
                + ")");
      }
      try {
        KeyStore store = emptyStore();
        store.setCertificateEntry("pinned", pinned.get());
        return manager(store);
      } catch (GeneralSecurityException | IOException impossible) {
        throw new CertificateException("cannot use the pinned CA", impossible);
      }
    }

    private boolean isPinned(X509Certificate certificate) {
      try {
        return Octets.sha256(certificate.getEncoded()).equals(pin);
      } catch (CertificateException _) {
        return false;
      }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
        throws CertificateException {
      throw noClients();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
        throws CertificateException {
      throw noClients();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType)
        throws CertificateException {
      throw noClients();
    }

    private static CertificateException noClients() {
      return new CertificateException("an agent accepts no clients");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return usual.getAcceptedIssuers();
    }
  }
}
