package io.penstock.codec.seal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KeysetTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_790_000_000);
  private static final SecureRandom RANDOM = new SecureRandom();

  private final SigningKey root = SigningKey.generate(RANDOM);
  private final SigningKey issuer = SigningKey.generate(RANDOM);
  private final SigningKey recordKey = SigningKey.generate(RANDOM);
  private final Keyset keyset =
      new Keyset(
          3,
          NOW.getEpochSecond() - 60,
          NOW.getEpochSecond() + 60,
          List.of(
              Keyset.Key.of(KeyUse.NODE_ISSUER, issuer.verifyingKey()),
              Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey())));

  @Test
  void holdsUnderThePinnedRoot() {
    Keyset read =
        Keyset.verify(keyset.sign(root), root.verifyingKey(), root.verifyingKey().sha256(), NOW);

    assertThat(read).isEqualTo(keyset);
  }

  @Test
  void aCloudThatWasRestoredIsOfALaterIncarnationThanOneThatWasNot() {
    var restored =
        new Keyset(
            4,
            keyset.notBeforeEpochSeconds(),
            keyset.expiresEpochSeconds(),
            keyset.keys(),
            1_795_000_000L);

    assertThat(keyset.incarnation()).isEqualTo(Keyset.FIRST_INCARNATION);
    assertThat(Keyset.verifyIgnoringTime(restored.sign(root), root.verifyingKey()).incarnation())
        .isEqualTo(1_795_000_000L);
    assertThatThrownBy(() -> new Keyset(1, 1, 2, List.of(), 1L)).isInstanceOf(SealException.class);
    // Older agents have to be able to read the first one: it is written as it always was.
    String payload = keyset.sign(root).split("\\.", -1)[1];
    assertThat(new String(java.util.Base64.getUrlDecoder().decode(payload), UTF_8))
        .doesNotContain("incarnation");
  }

  @Test
  void refusesARootThatIsNotPinned() {
    SigningKey other = SigningKey.generate(RANDOM);

    assertThatThrownBy(
            () ->
                Keyset.verify(
                    keyset.sign(other), other.verifyingKey(), root.verifyingKey().sha256(), NOW))
        .hasMessageContaining("pinned");
    assertThatThrownBy(
            () ->
                Keyset.verify(
                    keyset.sign(other), root.verifyingKey(), root.verifyingKey().sha256(), NOW))
        .isInstanceOf(SealException.class);
  }

  @Test
  void refusesAKeysetOutsideItsTime() {
    String jws = keyset.sign(root);

    assertThatThrownBy(
            () ->
                Keyset.verify(
                    jws, root.verifyingKey(), root.verifyingKey().sha256(), NOW.plusSeconds(60)))
        .hasMessageContaining("expired");
    assertThatThrownBy(
            () ->
                Keyset.verify(
                    jws, root.verifyingKey(), root.verifyingKey().sha256(), NOW.minusSeconds(61)))
        .hasMessageContaining("not valid yet");
  }

  @Test
  void anIssuerCertifiesANodeButNoAgent() {
    Octets staticKey = Octets.of(new byte[32]);
    var certificate =
        new NodeCertificate(
            "node-1", staticKey, NOW.getEpochSecond() - 1, NOW.getEpochSecond() + 1);

    assertThat(NodeCertificate.verify(certificate.sign(issuer), keyset, new byte[32], NOW))
        .isEqualTo(certificate);
    assertThatThrownBy(
            () -> NodeCertificate.verify(certificate.sign(recordKey), keyset, new byte[32], NOW))
        .isInstanceOf(SealException.class);
    assertThatThrownBy(() -> AgentRecord.verify(record().sign(issuer), keyset))
        .isInstanceOf(SealException.class);
  }

  @Test
  void refusesANodeCertificateOfAnotherStaticKeyOrTime() {
    Octets staticKey = Octets.of(new byte[32]);
    String jws =
        new NodeCertificate("node-1", staticKey, NOW.getEpochSecond() - 1, NOW.getEpochSecond() + 1)
            .sign(issuer);
    byte[] other = new byte[32];
    other[31] = 1;

    assertThatThrownBy(() -> NodeCertificate.verify(jws, keyset, other, NOW))
        .hasMessageContaining("another static key");
    assertThatThrownBy(() -> NodeCertificate.verify(jws, keyset, new byte[32], NOW.plusSeconds(1)))
        .isInstanceOf(SealException.class);
  }

  @Test
  void anAgentRecordKeepsEveryField() {
    assertThat(AgentRecord.verify(record().sign(recordKey), keyset)).isEqualTo(record());
  }

  @Test
  void aRevocationListChainsToTheOneBefore() {
    var first = new RevocationList(0, 1, RevocationList.NOTHING_BEFORE, Set.of());
    String firstJws = first.sign(recordKey);

    RevocationList second =
        RevocationList.verify(first.with("a1", firstJws, 2).sign(recordKey), keyset);

    assertThat(second)
        .isEqualTo(new RevocationList(1, 2, RevocationList.hashOf(firstJws), Set.of("a1")));
  }

  @Test
  void aRevocationOfAnotherAgentIsRefused() {
    String jws = new Revocation("a1", 1, 2).sign(recordKey);

    assertThat(Revocation.verify(jws, keyset, "a1").counter()).isEqualTo(1);
    assertThatThrownBy(() -> Revocation.verify(jws, keyset, "a2"))
        .hasMessageContaining("another agent");
  }

  @Test
  void refusesTwoKeysOfOneId() {
    var key = Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey());

    assertThatThrownBy(() -> new Keyset(1, 1, 2, List.of(key, key)))
        .isInstanceOf(SealException.class);
  }

  private AgentRecord record() {
    return new AgentRecord(
        "press-line-1",
        1,
        "plant-a",
        Map.of("hall", "7"),
        Octets.of(new byte[32]),
        Octets.of(new byte[Hpke.PUBLIC_KEY_BYTES]),
        root.verifyingKey(),
        "ABCD-EFGH",
        List.of("10.0.0.0/8"),
        "admin@penstock.local",
        NOW.getEpochSecond());
  }
}
