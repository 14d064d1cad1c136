package io.penstock.codec.seal;

import static io.penstock.codec.seal.Sealing.NOW;
import static io.penstock.codec.seal.Sealing.OWNER;
import static io.penstock.codec.seal.Sealing.RANDOM;
import static io.penstock.codec.seal.Sealing.SECRETS;
import static io.penstock.codec.seal.Sealing.SETTINGS;
import static io.penstock.codec.seal.Sealing.headOf;
import static io.penstock.codec.seal.Sealing.utf8;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.seal.ConfigurationCheck.Verdict;
import io.penstock.codec.seal.ConfigurationCheck.Verdict.Accepted;
import io.penstock.codec.seal.ConfigurationCheck.Verdict.Refused;
import io.penstock.codec.seal.Receipt.Reason;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ConfigurationCheckTest {
  private final Sealing sealing = new Sealing();
  private final SealedSecrets sealed = sealing.seal();
  private final ConfigurationHeader header = sealing.header(3, sealed);
  private final String jws = header.sign(sealing.configurationKey);

  @Test
  void acceptsWhatTheHeadLists() {
    assertThat(judge(Optional.empty()))
        .isEqualTo(new Accepted(header, ConfigurationHeader.hashOf(jws), Optional.of(sealed)));
  }

  @Test
  void acceptsADocumentWithoutSecrets() {
    ConfigurationHeader plain = Sealing.header(OWNER, 3, SETTINGS, Optional.empty());
    String plainJws = plain.sign(sealing.configurationKey);

    Verdict verdict =
        sealing
            .check(headOf(plainJws, 3), Optional.empty())
            .judge(plainJws, SETTINGS, Optional.empty());

    assertThat(verdict)
        .isEqualTo(new Accepted(plain, ConfigurationHeader.hashOf(plainJws), Optional.empty()));
  }

  @Test
  void acceptsTheFloorsOwnDocumentAgainAndAnyHigherVersion() {
    var same = new HeldVersion(3, ConfigurationHeader.hashOf(jws));
    var lower = new HeldVersion(1, Octets.of(new byte[32]));

    assertThat(judge(Optional.of(same))).isInstanceOf(Accepted.class);
    assertThat(judge(Optional.of(lower))).isInstanceOf(Accepted.class);
  }

  @Test
  void refusesWhatIsBelowTheFloorOrAnotherDocumentOfTheSameVersion() {
    var higher = new HeldVersion(4, Octets.of(new byte[32]));
    var forked = new HeldVersion(3, Octets.of(new byte[32]));

    assertRefused(judge(Optional.of(higher)), Reason.ROLLBACK);
    assertRefused(judge(Optional.of(forked)), Reason.ROLLBACK);
  }

  /// A system that was removed does not come back as an older document.
  @Test
  void refusesADocumentBelowTheTombstone() {
    var tombstone = HeadManifest.Tombstone.at(4);

    assertRefused(judge(Optional.of(tombstone.held())), Reason.ROLLBACK);
    assertRefused(judgeUnder(Sealing.head(Map.of("erp", tombstone))), Reason.NOT_LISTED);
  }

  @Test
  void refusesWhatTheHeadDoesNotList() {
    assertRefused(judgeUnder(Sealing.head(Map.of())), Reason.NOT_LISTED);
    assertRefused(judgeUnder(headOf(jws, 4)), Reason.NOT_LISTED);
    assertRefused(judgeUnder(headOf(jws + "x", 3)), Reason.NOT_LISTED);
  }

  @Test
  void refusesAHeaderOfAnotherKeyOrPurpose() {
    String byAnother = header.sign(SigningKey.generate(RANDOM));
    String byRecordKey = header.sign(sealing.recordKey);
    String keyId = sealing.configurationKey.verifyingKey().keyId(KeyUse.CONFIGURATION.text());
    String asHead =
        SignedDocument.sign(DocumentType.HEAD_MANIFEST, keyId, sealing.configurationKey, header);
    String recordKeyUnderItsId =
        SignedDocument.sign(DocumentType.CONFIGURATION, keyId, sealing.recordKey, header);

    for (String forged : new String[] {byAnother, byRecordKey, asHead, recordKeyUnderItsId, ""}) {
      assertRefused(
          sealing
              .check(headOf(forged, 3), Optional.empty())
              .judge(forged, SETTINGS, Optional.of(sealed.toJson())),
          Reason.BAD_SIGNATURE);
    }
  }

  @Test
  void refusesEveryChangedCharacterOfTheHeader() {
    for (int at = 0; at < jws.length(); at++) {
      char other = jws.charAt(at) == 'A' ? 'B' : 'A';
      String changed = jws.substring(0, at) + other + jws.substring(at + 1);
      assertRefused(
          sealing
              .check(headOf(changed, 3), Optional.empty())
              .judge(changed, SETTINGS, Optional.of(sealed.toJson())),
          Reason.BAD_SIGNATURE);
    }
  }

  @Test
  void refusesAnotherAgentGenerationAndSystem() {
    assertRefused(
        judgeFor(new SealedFor("press-line-2", 2, "erp", OWNER.destination())), Reason.WRONG_AGENT);
    assertRefused(
        judgeFor(new SealedFor("press-line-1", 1, "erp", OWNER.destination())),
        Reason.WRONG_GENERATION);
    assertRefused(
        judgeFor(new SealedFor("press-line-1", 2, "mes", OWNER.destination())),
        Reason.WRONG_SYSTEM);
  }

  @Test
  void refusesEveryFlippedByteOfTheSettings() {
    for (int at = 0; at < SETTINGS.length; at++) {
      byte[] flipped = SETTINGS.clone();
      flipped[at] ^= 1;
      assertRefused(
          sealing.check(headOf(jws, 3), Optional.empty()).judge(jws, flipped, sealedJson()),
          Reason.HASH_MISMATCH);
    }
  }

  @Test
  void refusesMissingSuperfluousAndOtherSecrets() {
    ConfigurationHeader plain = Sealing.header(OWNER, 3, SETTINGS, Optional.empty());
    String plainJws = plain.sign(sealing.configurationKey);
    ConfigurationCheck check = sealing.check(headOf(jws, 3), Optional.empty());

    assertRefused(check.judge(jws, SETTINGS, Optional.empty()), Reason.HASH_MISMATCH);
    assertRefused(
        sealing
            .check(headOf(plainJws, 3), Optional.empty())
            .judge(plainJws, SETTINGS, sealedJson()),
        Reason.HASH_MISMATCH);
    assertRefused(
        check.judge(jws, SETTINGS, Optional.of(sealing.seal().toJson())), Reason.HASH_MISMATCH);
  }

  @Test
  void refusesSecretsThatAreNone() {
    assertRefused(
        sealing
            .check(headOf(jws, 3), Optional.empty())
            .judge(jws, SETTINGS, Optional.of(utf8("{}"))),
        Reason.UNOPENABLE);
  }

  @Test
  void refusesSettingsAndSecretsThatTogetherAreOverOneMebibyte() {
    byte[] most = utf8("{\"x\":\"" + "x".repeat(1024 * 1024 - SECRETS.length - 8) + "\"}");
    byte[] over = utf8("{\"x\":\"" + "x".repeat(1024 * 1024 - SECRETS.length - 7) + "\"}");
    byte[] alone = new byte[1024 * 1024 + 1];

    assertThat(judgeSettings(most)).isInstanceOf(Accepted.class);
    assertRefused(judgeSettings(over), Reason.TOO_LARGE);
    assertRefused(judgeSettings(alone), Reason.TOO_LARGE);
  }

  @Test
  void noRefusalQuotesWhatWasRefused() {
    String attackers = "attacker-controlled";
    Verdict verdict =
        sealing
            .check(headOf(jws, 3), Optional.empty())
            .judge(attackers, utf8(attackers), Optional.of(utf8(attackers)));

    assertThat(verdict.toString()).doesNotContain("attacker");
  }

  @Test
  void aHeaderNamesItsPredecessor() {
    var next =
        new ConfigurationHeader(
            header.agent(),
            header.generation(),
            header.system(),
            header.plugin(),
            header.schema(),
            4,
            ConfigurationHeader.hashOf(jws),
            header.settingsSha256(),
            header.secretsHashes(),
            header.author(),
            NOW.getEpochSecond());

    assertThat(ConfigurationHeader.verify(next.sign(sealing.configurationKey), sealing.keyset))
        .isEqualTo(next);
  }

  private Verdict judge(Optional<HeldVersion> floor) {
    return sealing.check(headOf(jws, 3), floor).judge(jws, SETTINGS, sealedJson());
  }

  private Verdict judgeUnder(HeadManifest head) {
    return sealing.check(head, Optional.empty()).judge(jws, SETTINGS, sealedJson());
  }

  private Verdict judgeFor(SealedFor owner) {
    String other =
        Sealing.header(owner, 3, SETTINGS, Optional.of(sealed)).sign(sealing.configurationKey);
    return sealing.check(headOf(other, 3), Optional.empty()).judge(other, SETTINGS, sealedJson());
  }

  private Verdict judgeSettings(byte[] settings) {
    String large =
        Sealing.header(OWNER, 3, settings, Optional.of(sealed)).sign(sealing.configurationKey);
    return sealing.check(headOf(large, 3), Optional.empty()).judge(large, settings, sealedJson());
  }

  private Optional<byte[]> sealedJson() {
    return Optional.of(sealed.toJson());
  }

  private static void assertRefused(Verdict verdict, Reason reason) {
    assertThat(verdict)
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.reason()).isEqualTo(reason));
  }
}
