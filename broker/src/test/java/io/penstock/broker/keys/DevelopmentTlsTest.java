package io.penstock.broker.keys;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.config.DataDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevelopmentTlsTest {
  private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";

  @TempDir Path temporary;
  private DataDirectory data;

  @BeforeEach
  void openData() {
    data = DataDirectory.open(temporary.resolve("data"));
  }

  @AfterEach
  void closeData() {
    data.close();
  }

  private static DevelopmentTls open(DataDirectory data, Instant now, String... names) {
    Clock clock = Clock.fixed(now, ZoneOffset.UTC);
    BrokerKeys keys =
        BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
    return DevelopmentTls.open(data, keys.kek(), List.of(names), clock);
  }

  @Test
  void theCaStaysAndTheServersCertificateIsNewAtEveryStart() throws Exception {
    DevelopmentTls first = open(data, NOW);
    DevelopmentTls second = open(data, NOW.plus(Duration.ofDays(100)));

    assertThat(second.caSha256()).isEqualTo(first.caSha256());
    assertThat(second.chain().getLast()).isEqualTo(first.chain().getLast());
    assertThat(second.chain().getFirst()).isNotEqualTo(first.chain().getFirst());
    second.chain().getFirst().verify(first.chain().getLast().getPublicKey());
  }

  @Test
  void theServersKeyBelongsToItsCertificate() throws Exception {
    DevelopmentTls tls = open(data, NOW);
    byte[] message = "hello".getBytes(US_ASCII);
    Signature signing = Signature.getInstance("SHA256withECDSA");
    signing.initSign(tls.serverKey());
    signing.update(message);
    byte[] signature = signing.sign();

    Signature verifying = Signature.getInstance("SHA256withECDSA");
    verifying.initVerify(tls.chain().getFirst());
    verifying.update(message);

    assertThat(verifying.verify(signature)).isTrue();
  }

  @Test
  void theCertificateIsForServersOfTheseNamesAndNeverACa() throws Exception {
    X509Certificate server = open(data, NOW, "broker.example.org", "192.0.2.7").chain().getFirst();

    assertThat(server.getSubjectAlternativeNames())
        .contains(
            List.of(2, "localhost"),
            List.of(7, "127.0.0.1"),
            List.of(7, "0:0:0:0:0:0:0:1"),
            List.of(2, "broker.example.org"),
            List.of(7, "192.0.2.7"));
    assertThat(server.getExtendedKeyUsage()).containsExactly(SERVER_AUTHENTICATION);
    assertThat(server.getBasicConstraints()).isEqualTo(-1);
    server.checkValidity(Date.from(NOW.minus(Duration.ofMinutes(59))));
    server.checkValidity(Date.from(NOW.plus(Duration.ofDays(364))));
  }

  @Test
  void theCaSignsServersOnly() {
    X509Certificate ca = open(data, NOW).chain().getLast();

    // No CA below it; certificates and revocations, nothing else.
    assertThat(ca.getBasicConstraints()).isZero();
    assertThat(ca.getKeyUsage())
        .containsExactly(false, false, false, false, false, true, true, false, false);
  }

  @Test
  void noPrivateKeyRestsUnsealed() throws Exception {
    open(data, NOW);

    assertThat(Files.readString(data.resolve("ca.pem")))
        .startsWith("-----BEGIN CERTIFICATE-----")
        .doesNotContain("PRIVATE");
    byte[] sealed = Files.readAllBytes(data.resolve("ca.key.sealed"));
    assertThat(new String(sealed, US_ASCII)).doesNotContain("PRIVATE");
    // The OID of EC keys, which every unsealed PKCS #8 form of one holds.
    assertThat(java.util.HexFormat.of().formatHex(sealed)).doesNotContain("06072a8648ce3d0201");
  }

  @Test
  void aLostKeyIsNoReasonForANewCa() throws Exception {
    open(data, NOW);
    byte[] before = Files.readAllBytes(data.resolve("ca.pem"));
    Files.delete(data.resolve("ca.key.sealed"));

    assertThatThrownBy(() -> open(data, NOW)).hasMessageContaining("ca.key.sealed is missing");

    assertThat(Files.readAllBytes(data.resolve("ca.pem"))).isEqualTo(before);
  }

  @Test
  void aCaThatSomebodyPutInItsPlaceIsFound() throws Exception {
    open(data, NOW);
    try (DataDirectory other = DataDirectory.open(temporary.resolve("other"))) {
      open(other, NOW);
      data.write("ca.pem", Files.readAllBytes(other.resolve("ca.pem")));
    }

    assertThatThrownBy(() -> open(data, NOW))
        .hasMessageContaining("ca.pem is not the certificate of ca.key.sealed");
  }

  @Test
  void theCasKeyNeedsTheOldKekUntilItIsWrappedAnew() {
    Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);
    BrokerKeys keys =
        BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
    assertThat(DevelopmentTls.needsOfOlderKek(data, keys.kek())).as("no such CA").isEmpty();
    DevelopmentTls first = DevelopmentTls.open(data, keys.kek(), List.of(), clock);
    assertThat(DevelopmentTls.needsOfOlderKek(data, keys.kek())).isEmpty();

    keys.replace(ManagedKey.KEK);
    assertThat(DevelopmentTls.needsOfOlderKek(data, keys.kek()))
        .containsExactly("the development CA's key in ca.key.sealed");

    DevelopmentTls.rewrap(data, keys.kek());
    assertThat(DevelopmentTls.needsOfOlderKek(data, keys.kek())).isEmpty();
    assertThat(DevelopmentTls.open(data, keys.kek(), List.of(), clock).caSha256())
        .isEqualTo(first.caSha256());
  }
}
