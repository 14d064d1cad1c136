package io.penstock.broker.keys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.Revocations.Recovery;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Revocation;
import io.penstock.codec.seal.SealException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerKeysTest {
  private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();

  @TempDir Path temporary;
  private DataDirectory data;

  @BeforeEach
  void openData() {
    data = DataDirectory.open(temporary);
  }

  @AfterEach
  void closeData() {
    data.close();
  }

  private BrokerKeys open(Instant now) {
    Clock clock = Clock.fixed(now, ZoneOffset.UTC);
    return BrokerKeys.open(data, MasterKey.load(Optional.empty(), data, RANDOM), RANDOM, clock);
  }

  @Test
  void keepsItsKeysOverARestart() {
    BrokerKeys first = open(NOW);
    byte[] wrapped = first.kek().wrap("agent a1", "bundle".getBytes(UTF_8));

    BrokerKeys second = open(NOW.plusSeconds(60));

    assertThat(second.rootSha256()).isEqualTo(first.rootSha256());
    assertThat(second.keysetJws()).isEqualTo(first.keysetJws());
    assertThat(second.kek().unwrap("agent a1", wrapped)).isEqualTo("bundle".getBytes(UTF_8));
  }

  @Test
  void signsAKeysetUnderItsRootAndNodeCertificatesUnderTheKeyset() {
    BrokerKeys keys = open(NOW);
    byte[] staticKey = new byte[32];

    Keyset keyset = Keyset.verify(keys.keysetJws(), keys.rootKey(), keys.rootSha256(), NOW);
    String certificate = keys.certifyNode("node-1", Octets.of(staticKey));

    assertThat(keyset.version()).isEqualTo(1);
    assertThat(
            NodeCertificate.verify(certificate, keyset, staticKey, NOW.plus(Duration.ofHours(23)))
                .node())
        .isEqualTo("node-1");
    assertThatThrownBy(
            () ->
                NodeCertificate.verify(
                    certificate, keyset, staticKey, NOW.plus(Duration.ofHours(24))))
        .isInstanceOf(SealException.class);
  }

  @Test
  void renewsTheKeysetBeforeItExpiresAndEvenAfter() {
    BrokerKeys early = open(NOW);
    assertThat(early.keyset().version()).isEqualTo(1);

    assertThat(open(NOW.plus(Duration.ofDays(59))).keyset().version()).isEqualTo(1);
    assertThat(open(NOW.plus(Duration.ofDays(60))).keyset().version()).isEqualTo(2);
    assertThat(open(NOW.plus(Duration.ofDays(365))).keyset().version()).isEqualTo(3);
    assertThat(open(NOW.plus(Duration.ofDays(365))).keyset().version()).isEqualTo(3);
  }

  @Test
  void theKeystoreOpensOnlyUnderItsMasterKeyAndUnchanged() throws Exception {
    open(NOW);
    byte[] keystore = Files.readAllBytes(temporary.resolve("keystore"));
    byte[] masterKey = Files.readAllBytes(temporary.resolve("master.key"));

    for (int at = 0; at < keystore.length; at += 17) {
      byte[] flipped = keystore.clone();
      flipped[at] ^= 1;
      data.write("keystore", flipped);
      assertThatThrownBy(() -> open(NOW)).as("byte %d", at).isInstanceOf(SealException.class);
    }
    data.write("keystore", keystore);
    byte[] other = masterKey.clone();
    other[0] ^= 1;
    data.write("master.key", other);
    assertThatThrownBy(() -> open(NOW)).isInstanceOf(SealException.class);
  }

  @Test
  void aLostMasterKeyIsNamedInsteadOfReplaced() throws Exception {
    open(NOW);
    Files.delete(temporary.resolve("master.key"));

    assertThatThrownBy(() -> open(NOW)).hasMessageContaining("master.key is missing");
    assertThat(temporary.resolve("master.key")).doesNotExist();
  }

  @Test
  void aWrapOpensOnlyInItsContext() {
    Kek kek = open(NOW).kek();
    byte[] wrapped = kek.wrap("agent a1", "bundle".getBytes(UTF_8));

    assertThat(kek.wrap("agent a1", "bundle".getBytes(UTF_8))).isNotEqualTo(wrapped);
    assertThatThrownBy(() -> kek.unwrap("agent a2", wrapped)).isInstanceOf(SealException.class);
  }

  @Test
  void everyWidenedFieldOfATokenChangesItsSecret() {
    EnrollRoot root = open(NOW).enrollRoot();
    Octets id = Octets.of(new byte[16]);
    var binding =
        new TokenBinding(
            id,
            NOW,
            Optional.of("a1"),
            Optional.empty(),
            Map.of("hall", "7"),
            List.of("10.0.0.0/8"),
            false);

    List<TokenBinding> others =
        List.of(
            new TokenBinding(
                id,
                NOW.plusSeconds(1),
                binding.agent(),
                binding.site(),
                binding.labels(),
                binding.allowedCidrs(),
                false),
            new TokenBinding(
                id,
                NOW,
                Optional.empty(),
                binding.site(),
                binding.labels(),
                binding.allowedCidrs(),
                false),
            new TokenBinding(
                id,
                NOW,
                Optional.empty(),
                Optional.of("a1"),
                binding.labels(),
                binding.allowedCidrs(),
                false),
            new TokenBinding(
                id,
                NOW,
                binding.agent(),
                Optional.of(""),
                binding.labels(),
                binding.allowedCidrs(),
                false),
            new TokenBinding(
                id,
                NOW,
                binding.agent(),
                binding.site(),
                Map.of("hall", "8"),
                binding.allowedCidrs(),
                false),
            new TokenBinding(
                id, NOW, binding.agent(), binding.site(), binding.labels(), List.of(), false),
            new TokenBinding(
                id,
                NOW,
                binding.agent(),
                binding.site(),
                binding.labels(),
                List.of("10.0.0.0/8", "0.0.0.0/0"),
                false),
            new TokenBinding(
                id,
                NOW,
                binding.agent(),
                binding.site(),
                binding.labels(),
                binding.allowedCidrs(),
                true));

    assertThat(root.secretOf(binding, NOW)).isEqualTo(root.secretOf(binding, NOW));
    assertThat(others)
        .noneMatch(other -> root.secretOf(other, NOW).equals(root.secretOf(binding, NOW)));
  }

  @Test
  void aRowMacCoversTableFieldsAndTheirBorders() {
    RowMac mac = open(NOW).rowMac();
    Octets of = mac.of("users", List.of("a", "bc"));

    assertThat(mac.holds(of, "users", List.of("a", "bc"))).isTrue();
    assertThat(mac.holds(of, "users", List.of("ab", "c"))).isFalse();
    assertThat(mac.holds(of, "service_accounts", List.of("a", "bc"))).isFalse();
  }

  @Test
  void aRevocationSurvivesTheRestartAndAnOldDatabase() {
    Revocations revocations = open(NOW).revocations();
    String empty = revocations.newestJws();
    var prepared = revocations.prepare("a1");

    revocations.advance(prepared.jws());

    Revocations again = open(NOW).revocations();
    assertThat(again.isRevoked("a1")).isTrue();
    assertThat(again.counter()).isEqualTo(1);
    assertThat(again.recover(empty)).isEqualTo(Recovery.DATABASE_BEHIND);
    assertThat(again.recover("")).isEqualTo(Recovery.DATABASE_BEHIND);
    assertThat(again.recover(prepared.jws())).isEqualTo(Recovery.SAME);
    assertThat(again.recover("x.y.z")).isEqualTo(Recovery.FOREIGN);
    assertThat(again.isRevoked("a1")).isTrue();
  }

  @Test
  void aListThatReachedOnlyTheDatabaseIsTakenOver() {
    var prepared = open(NOW).revocations().prepare("a1");

    Revocations afterTheCrash = open(NOW).revocations();

    assertThat(afterTheCrash.isRevoked("a1")).isFalse();
    assertThat(afterTheCrash.recover(prepared.jws())).isEqualTo(Recovery.ADVANCED);
    assertThat(afterTheCrash.isRevoked("a1")).isTrue();
  }

  @Test
  void aListPreparedBeforeAnotherAdvancedIsRefused() {
    Revocations revocations = open(NOW).revocations();
    var stale = revocations.prepare("a1");
    revocations.advance(revocations.prepare("a2").jws());

    assertThatThrownBy(() -> revocations.advance(stale.jws())).isInstanceOf(SealException.class);
  }

  @Test
  void theNoticeNamesOneAgent() {
    BrokerKeys keys = open(NOW);
    keys.revocations().advance(keys.revocations().prepare("a1").jws());

    assertThat(Revocation.verify(keys.revocations().noticeFor("a1"), keys.keyset(), "a1").counter())
        .isEqualTo(1);
  }

  @Test
  void noSecretRestsInPlaintextBesideTheMasterKey() throws Exception {
    BrokerKeys keys = open(NOW);
    byte[] jwtSeed = keys.jwtKeys().signing().seed();

    String keystore =
        new String(
            Files.readAllBytes(temporary.resolve("keystore")),
            java.nio.charset.StandardCharsets.ISO_8859_1);

    assertThat(keystore)
        .doesNotContain(new String(jwtSeed, java.nio.charset.StandardCharsets.ISO_8859_1));
    assertThat(
            List.of(keys, keys.kek(), keys.enrollRoot(), keys.rowMac(), keys.jwtKeys().signing())
                .toString())
        .isEqualTo(
            "[BrokerKeys[secret], Kek[secret], EnrollRoot[secret], RowMac[secret],"
                + " SigningKey[secret]]");
  }
}
