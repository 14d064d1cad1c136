package io.penstock.codec.seal;

import static io.penstock.codec.seal.Sealing.NOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.seal.HeadManifest.Listed;
import io.penstock.codec.seal.HeadManifest.Tombstone;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadManifestTest {
  private static final Octets HASH = Octets.sha256(new byte[1]);

  private final Sealing sealing = new Sealing();
  private final HeadManifest head =
      Sealing.head(Map.of("mes", new Listed(4, HASH), "erp", Tombstone.at(9)));

  @Test
  void readsWhatItSigned() {
    String jws = head.sign(sealing.configurationKey);

    assertThat(HeadManifest.verify(jws, sealing.keyset)).isEqualTo(head);
    assertThat(HeadManifest.verify(jws, sealing.keyset).systems().sequencedKeySet())
        .containsExactly("erp", "mes");
  }

  @Test
  void refusesEveryChangedCharacter() {
    String jws = head.sign(sealing.configurationKey);

    for (int at = 0; at < jws.length(); at++) {
      char other = jws.charAt(at) == 'A' ? 'B' : 'A';
      String changed = jws.substring(0, at) + other + jws.substring(at + 1);
      assertThatThrownBy(() -> HeadManifest.verify(changed, sealing.keyset))
          .as("character %d", at)
          .isInstanceOf(SealException.class);
    }
  }

  @Test
  void aHeaderIsNoHeadAndTheRecordKeySignsNone() {
    String header = sealing.header(1, sealing.seal()).sign(sealing.configurationKey);

    assertThatThrownBy(() -> HeadManifest.verify(header, sealing.keyset))
        .isInstanceOf(SealException.class);
    assertThatThrownBy(() -> HeadManifest.verify(head.sign(sealing.recordKey), sealing.keyset))
        .hasMessageContaining("unknown key");
  }

  @Test
  void expiresAtItsTime() {
    assertThat(head.isExpiredAt(NOW.plusSeconds(86_399))).isFalse();
    assertThat(head.isExpiredAt(NOW.plusSeconds(86_400))).isTrue();
  }

  @Test
  void aNewIncarnationMayCountFromLower() {
    assertThat(head.isOlderThan(1, 7)).isFalse();
    assertThat(head.isOlderThan(1, 8)).isTrue();
    assertThat(head.isOlderThan(2, 1)).isTrue();
    assertThat(head.isOlderThan(1, 6)).isFalse();
  }

  @Test
  void listsNeitherTombstonesNorStrangers() {
    assertThat(head.listed("mes")).contains(new HeldVersion(4, HASH));
    assertThat(head.listed("erp")).isEmpty();
    assertThat(head.listed("plc")).isEmpty();
  }

  @Test
  void aThousandSystemsWithTheLongestNamesFit() {
    var systems = new TreeMap<String, HeadManifest.Entry>();
    for (int i = 0; i < HeadManifest.MAX_SYSTEMS; i++) {
      systems.put("s".repeat(59) + String.format("%04d", i), new Listed(Long.MAX_VALUE, HASH));
    }
    HeadManifest large = Sealing.head(systems);

    assertThat(HeadManifest.verify(large.sign(sealing.configurationKey), sealing.keyset))
        .isEqualTo(large);

    systems.put("one-more", Tombstone.at(1));
    assertThatThrownBy(() -> Sealing.head(systems)).hasMessageContaining("found 1001");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"version\":1}",
        "{\"version\":0,\"tombstone\":true}",
        "{\"version\":1,\"tombstone\":false}",
        "{\"version\":1,\"tombstone\":true,\"header_sha256\":\"AAAA\"}",
        "{\"version\":1,\"header_sha256\":\"AAAA\"}",
        "{\"version\":null,\"tombstone\":true}",
        "null"
      })
  void refusesASignedEntryOfAnotherShape(String entry) throws Exception {
    String body =
        """
        {"agent":"a","generation":1,"incarnation":1,"sequence":1,"issued_at":1,"expires_at":2,
        "systems":{"erp":%s}}\
        """
            .formatted(entry);
    String jws =
        SignedDocument.sign(
            DocumentType.HEAD_MANIFEST,
            sealing.configurationKey.verifyingKey().keyId(KeyUse.CONFIGURATION.text()),
            sealing.configurationKey,
            SignedDocument.JSON.readTree(body));

    assertThatThrownBy(() -> HeadManifest.verify(jws, sealing.keyset))
        .hasMessageContaining("another shape");
  }

  @Test
  void theStateDigestIsThatOfTheListedVersions() {
    Octets digest = head.stateDigest();

    assertThat(digest).isEqualTo(StateDigest.of(Map.of("mes", new HeldVersion(4, HASH))));
    assertThat(digest).isNotEqualTo(StateDigest.of(Map.of("mes", new HeldVersion(5, HASH))));
    assertThat(digest).isNotEqualTo(StateDigest.of(Map.of("me", new HeldVersion(4, HASH))));
    assertThat(digest).isNotEqualTo(StateDigest.of(Map.of()));
  }

  /// Written out by hand from `docs/protocol.md`, section 6.
  @Test
  void theStateDigestIsAsSpecified() {
    var bytes = new java.io.ByteArrayOutputStream();
    bytes.writeBytes(Sealing.utf8("penstock state v1"));
    bytes.write(3);
    bytes.writeBytes(Sealing.utf8("erp"));
    bytes.writeBytes(new byte[] {0, 0, 0, 0, 0, 0, 1, 2});
    bytes.writeBytes(HASH.bytes());
    bytes.write(3);
    bytes.writeBytes(Sealing.utf8("mes"));
    bytes.writeBytes(new byte[] {0, 0, 0, 0, 0, 0, 0, 4});
    bytes.writeBytes(HASH.bytes());

    assertThat(
            StateDigest.of(
                Map.of("mes", new HeldVersion(4, HASH), "erp", new HeldVersion(258, HASH))))
        .isEqualTo(Octets.sha256(bytes.toByteArray()));
  }
}
