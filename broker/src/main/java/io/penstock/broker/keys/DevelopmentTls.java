package io.penstock.broker.keys;

import io.penstock.broker.config.DataDirectory;
import io.penstock.codec.seal.Octets;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.SignatureException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// The development profile's own CA and server certificate, ECDSA P-256. `DATA/ca.pem` is for
/// callers to trust; both private keys rest wrapped under the KEK. The CA stays the same for the
/// life
/// of the data directory, because agents pin it; the server's certificate is made at every start.
public final class DevelopmentTls {
  private static final String CA_FILE = "ca.pem";
  private static final String CA_KEY_FILE = "ca.key.sealed";
  private static final String CONTEXT = "development TLS CA";
  private static final Duration CA_LIFE = Duration.ofDays(3650);
  private static final Duration SERVER_LIFE = Duration.ofDays(365);
  private static final Duration BACKDATED = Duration.ofHours(1);

  private final PrivateKey serverKey;
  private final List<X509Certificate> chain;

  private DevelopmentTls(PrivateKey serverKey, List<X509Certificate> chain) {
    this.serverKey = serverKey;
    this.chain = List.copyOf(chain);
  }

  /// Opens the CA, or makes it on the first start, and issues a certificate for this machine.
  ///
  /// @param names further DNS names and addresses that the broker is reached by
  public static DevelopmentTls open(DataDirectory data, Kek kek, List<String> names, Clock clock) {
    try {
      X509Certificate ca;
      Optional<byte[]> stored = data.read(CA_FILE);
      Optional<byte[]> sealed = data.read(CA_KEY_FILE);
      PrivateKey caKey;
      if (stored.isPresent()) {
        // Never a new one in its place: agents pin the old.
        byte[] wrapped =
            sealed.orElseThrow(
                () -> new IllegalStateException(CA_KEY_FILE + " is missing, its CA is not"));
        ca = readCertificate(stored.get());
        caKey = readKey(kek.unwrap(CONTEXT, wrapped));
      } else {
        KeyPair caKeys = newKeyPair();
        ca = selfSigned(caKeys, clock.instant());
        caKey = caKeys.getPrivate();
        data.write(CA_KEY_FILE, kek.wrap(CONTEXT, caKey.getEncoded()));
        data.write(CA_FILE, pem(ca));
      }
      KeyPair server = newKeyPair();
      X509Certificate certificate = issue(ca, caKey, server, allNames(names), clock.instant());
      requireSignedBy(ca, certificate);
      return new DevelopmentTls(server.getPrivate(), List.of(certificate, ca));
    } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
      throw new IllegalStateException("cannot make the development certificate", e);
    }
  }

  /// The CA's key under the newest KEK, if there is such a CA.
  public static void rewrap(DataDirectory data, Kek kek) {
    data.read(CA_KEY_FILE)
        .flatMap(wrapped -> kek.rewrap(CONTEXT, wrapped))
        .ifPresent(wrapped -> data.write(CA_KEY_FILE, wrapped));
  }

  /// The CA's key file, while it is not under the newest KEK.
  public static List<String> needsOfOlderKek(DataDirectory data, Kek kek) {
    return data.read(CA_KEY_FILE).filter(wrapped -> !kek.isCurrent(wrapped)).stream()
        .map(_ -> "the development CA's key in " + CA_KEY_FILE)
        .toList();
  }

  /// `ca.pem` is not sealed: tokens must not pin what somebody put in its place.
  private static void requireSignedBy(X509Certificate ca, X509Certificate certificate)
      throws GeneralSecurityException {
    try {
      certificate.verify(ca.getPublicKey());
    } catch (InvalidKeyException | SignatureException e) {
      throw new IllegalStateException(CA_FILE + " is not the certificate of " + CA_KEY_FILE, e);
    }
  }

  public PrivateKey serverKey() {
    return serverKey;
  }

  /// Server certificate first, then the CA.
  public List<X509Certificate> chain() {
    return chain;
  }

  /// SHA-256 of the CA's DER form, as enrollment tokens pin it.
  public Octets caSha256() {
    return sha256Of(chain.getLast());
  }

  /// SHA-256 of a certificate's DER form.
  public static Octets sha256Of(X509Certificate certificate) {
    try {
      return Octets.sha256(certificate.getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a certificate that was read has a DER form", e);
    }
  }

  private static KeyPair newKeyPair() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }

  private static X509Certificate selfSigned(KeyPair keys, Instant now)
      throws OperatorCreationException, GeneralSecurityException, CertIOException {
    var name = new X500Name("CN=Penstock development CA");
    X509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(
            name,
            serial(),
            Date.from(now.minus(BACKDATED)),
            Date.from(now.plus(CA_LIFE)),
            name,
            keys.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
    builder.addExtension(
        Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
    return signed(builder, keys.getPrivate());
  }

  private static X509Certificate issue(
      X509Certificate ca, PrivateKey caKey, KeyPair server, Set<String> names, Instant now)
      throws OperatorCreationException, GeneralSecurityException, CertIOException {
    X509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(
            ca,
            serial(),
            Date.from(now.minus(BACKDATED)),
            Date.from(now.plus(SERVER_LIFE)),
            new X500Name("CN=Penstock broker"),
            server.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
    builder.addExtension(
        Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
    var alternatives = new ArrayList<GeneralName>();
    for (String name : names) {
      alternatives.add(
          new GeneralName(isAddress(name) ? GeneralName.iPAddress : GeneralName.dNSName, name));
    }
    builder.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(alternatives.toArray(GeneralName[]::new)));
    return signed(builder, caKey);
  }

  private static X509Certificate signed(X509v3CertificateBuilder builder, PrivateKey key)
      throws OperatorCreationException, GeneralSecurityException {
    return new JcaX509CertificateConverter()
        .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key)));
  }

  private static BigInteger serial() {
    return new BigInteger(127, new SecureRandom()).add(BigInteger.ONE);
  }

  private static Set<String> allNames(List<String> names) {
    var all = new LinkedHashSet<>(List.of("localhost", "127.0.0.1", "::1"));
    try {
      all.add(InetAddress.getLocalHost().getHostName());
    } catch (UnknownHostException nameless) {
      // A machine without a name of its own is reached by the names above.
    }
    all.addAll(names);
    return all;
  }

  private static boolean isAddress(String name) {
    return name.indexOf(':') >= 0 || name.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
  }

  private static byte[] pem(X509Certificate certificate) {
    var text = new StringWriter();
    try (var writer = new JcaPEMWriter(text)) {
      writer.writeObject(certificate);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static X509Certificate readCertificate(byte[] pem) throws GeneralSecurityException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem));
  }

  private static PrivateKey readKey(byte[] pkcs8) throws GeneralSecurityException {
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
  }
}
