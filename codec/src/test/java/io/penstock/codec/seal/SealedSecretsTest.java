package io.penstock.codec.seal;

import static io.penstock.codec.seal.Sealing.OWNER;
import static io.penstock.codec.seal.Sealing.PASSWORD;
import static io.penstock.codec.seal.Sealing.RANDOM;
import static io.penstock.codec.seal.Sealing.SECRETS;
import static io.penstock.codec.seal.Sealing.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.SealedSecrets.Opening;
import io.penstock.codec.seal.SealedSecrets.Opening.Opened;
import io.penstock.codec.seal.SealedSecrets.Opening.Refused;
import io.penstock.codec.seal.SealedSecrets.Wrap;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SealedSecretsTest {
  private final Sealing sealing = new Sealing();
  private final SealingKey key = sealing.agentKey;
  private final SealedSecrets sealed = sealing.seal();

  @Test
  void opensWhatWasSealed() {
    assertThat(secretsOf(sealed.open(key, OWNER))).isEqualTo(SECRETS);
    assertThat(sealed.secretsLength()).isEqualTo(SECRETS.length);
  }

  @Test
  void readsItsOwnJson() {
    assertThat(SealedSecrets.fromJson(sealed.toJson())).isEqualTo(sealed);
  }

  @Test
  void opensWithTheRecoveryKeyToo() {
    SealingKey recovery = Hpke.generate(RANDOM);
    SealedSecrets both =
        SealedSecrets.seal(
            SECRETS, OWNER, key.publicKey(), Optional.of(recovery.publicKey()), RANDOM);

    assertThat(secretsOf(both.open(key, OWNER))).isEqualTo(SECRETS);
    assertThat(secretsOf(both.open(recovery, OWNER))).isEqualTo(SECRETS);
    assertThat(both.isFor(recovery.publicKey())).isTrue();
    assertThat(sealed.isFor(recovery.publicKey())).isFalse();
  }

  @Test
  void noTwoSealsShareAKeyOrNonce() {
    var nonces = new HashSet<Octets>();
    var commitments = new HashSet<Octets>();
    for (int i = 0; i < 20; i++) {
      SealedSecrets one = sealing.seal();
      nonces.add(Octets.of(Arrays.copyOf(one.ciphertext().bytes(), DataKey.NONCE_BYTES)));
      commitments.add(one.dekCommitment());
    }

    assertThat(nonces).hasSize(20);
    assertThat(commitments).hasSize(20);
  }

  @ParameterizedTest
  @CsvSource({
    "press-line-2, 2, erp",
    "press-line-1, 1, erp",
    "press-line-1, 3, erp",
    "press-line-1, 2, mes",
    "press-line-1e, 2, rp",
  })
  void refusesAnotherAgentGenerationOrSystem(String agent, long generation, String system) {
    assertUnopenable(
        sealed.open(key, new SealedFor(agent, generation, system, OWNER.destination())));
  }

  @Test
  void doesNotOpenForADestinationTheyWereNotTypedFor() {
    var elsewhere =
        new SealedFor("press-line-1", 2, "erp", Sealing.destination("https://evil.example"));

    assertUnopenable(sealed.open(key, elsewhere));
  }

  /// The wrap is right for the other owner, so only the ciphertext's own binding can refuse.
  @Test
  void refusesACiphertextOfAnotherOwnerUnderAWrapOfThisOne() {
    var other = new SealedFor("press-line-2", 2, "erp", OWNER.destination());
    byte[] dek = new byte[DataKey.BYTES];
    SealedSecrets ours = sealWith(dek, OWNER);
    SealedSecrets theirs = sealWith(dek, other);

    var mixed = new SealedSecrets(1, theirs.ciphertext(), ours.dekCommitment(), ours.wraps());

    assertThat(ours.dekCommitment()).isEqualTo(theirs.dekCommitment());
    assertUnopenable(mixed.open(key, OWNER));
  }

  @Test
  void refusesAWrapOfAnotherDocument() {
    SealedSecrets other = sealing.seal();
    var mixed = new SealedSecrets(1, sealed.ciphertext(), sealed.dekCommitment(), other.wraps());

    assertUnopenable(mixed.open(key, OWNER));
  }

  @Test
  void refusesAnotherKey() {
    assertUnopenable(sealed.open(Hpke.generate(RANDOM), OWNER));
  }

  @Test
  void refusesAWrapThatClaimsThisKeyAndIsForAnother() {
    SealedSecrets other =
        SealedSecrets.seal(
            SECRETS, OWNER, Hpke.generate(RANDOM).publicKey(), Optional.empty(), RANDOM);
    Octets us = SealedSecrets.recipientOf(key.publicKey());
    var claimed =
        new SealedSecrets(
            1,
            other.ciphertext(),
            other.dekCommitment(),
            List.of(new Wrap(us, other.wraps().getFirst().sealed())));

    assertUnopenable(claimed.open(key, OWNER));
  }

  /// A sealer who wraps one key and commits to another: without the commitment, two keys made for
  /// one ciphertext would show two agents two contents of one signed document.
  @Test
  void refusesAKeyThatIsNotTheOneCommittedTo() {
    byte[] committed = new byte[DataKey.BYTES];
    byte[] wrapped = new byte[DataKey.BYTES];
    wrapped[0] = 1;
    Octets commitment = DataKey.owning(committed.clone()).commitment();
    DataKey other = DataKey.owning(wrapped);
    var wrap =
        new Wrap(
            SealedSecrets.recipientOf(key.publicKey()),
            Octets.of(other.wrapTo(key.publicKey(), OWNER.wrapContext(commitment))));
    byte[] ciphertext =
        other.encrypt(new byte[DataKey.NONCE_BYTES], OWNER.secretsContext(), SECRETS);

    Opening opening =
        new SealedSecrets(1, Octets.of(ciphertext), commitment, List.of(wrap)).open(key, OWNER);

    assertThat(opening)
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.reason()).isEqualTo(Reason.COMMITMENT_MISMATCH));
  }

  @Test
  void refusesEveryFlippedByteOfCiphertextAndCommitment() {
    byte[] ciphertext = sealed.ciphertext().bytes();
    for (int at = 0; at < ciphertext.length; at++) {
      byte[] flipped = ciphertext.clone();
      flipped[at] ^= 1;
      var changed =
          new SealedSecrets(1, Octets.of(flipped), sealed.dekCommitment(), sealed.wraps());
      assertUnopenable(changed.open(key, OWNER));
    }
    byte[] commitment = sealed.dekCommitment().bytes();
    for (int at = 0; at < commitment.length; at++) {
      byte[] flipped = commitment.clone();
      flipped[at] ^= 1;
      var changed = new SealedSecrets(1, sealed.ciphertext(), Octets.of(flipped), sealed.wraps());
      assertUnopenable(changed.open(key, OWNER));
    }
  }

  /// Of the JSON text itself: a changed character is refused when it is read or when it is opened.
  @Test
  void refusesEveryFlippedByteOfTheJson() {
    byte[] json = sealed.toJson();

    for (int at = 0; at < json.length; at++) {
      byte[] flipped = json.clone();
      flipped[at] ^= 1;
      assertThat(opensAsBefore(flipped)).as("byte %d", at).isFalse();
    }
  }

  private boolean opensAsBefore(byte[] json) {
    try {
      return SealedSecrets.fromJson(json).open(key, OWNER) instanceof Opened;
    } catch (SealException _) {
      return false;
    }
  }

  @Test
  void refusesEveryTruncationOfTheJson() {
    byte[] json = sealed.toJson();

    for (int length = 0; length < json.length; length++) {
      byte[] cut = Arrays.copyOf(json, length);
      assertThatThrownBy(() -> SealedSecrets.fromJson(cut)).isInstanceOf(SealException.class);
    }
  }

  @Test
  void aNextVersionCarriesTheSecretsForward() {
    ConfigurationHeader first = sealing.header(1, sealed);
    ConfigurationHeader second = sealing.header(2, SealedSecrets.fromJson(sealed.toJson()));

    assertThat(second.secrets()).isEqualTo(first.secrets()).contains(sealed.hashes());
    assertThat(secretsOf(sealed.open(key, second.owner(OWNER.destination())))).isEqualTo(SECRETS);
  }

  @Test
  void aRotatedKeyOpensTheRewrappedSecretsAndTheOldOneDoesNot() {
    SealingKey recovery = Hpke.generate(RANDOM);
    SealingKey next = Hpke.generate(RANDOM);
    SealedSecrets before =
        SealedSecrets.seal(
            SECRETS, OWNER, key.publicKey(), Optional.of(recovery.publicKey()), RANDOM);

    SealedSecrets after = before.rewrap(key, OWNER, next.publicKey());

    assertThat(after.hashes()).isEqualTo(before.hashes());
    assertThat(secretsOf(after.open(next, OWNER))).isEqualTo(SECRETS);
    assertThat(secretsOf(after.open(recovery, OWNER))).isEqualTo(SECRETS);
    assertUnopenable(after.open(key, OWNER));
  }

  @Test
  void rewrapsNothingThatItCannotOpen() {
    SealingKey other = Hpke.generate(RANDOM);

    assertThatThrownBy(() -> sealed.rewrap(other, OWNER, other.publicKey()))
        .isInstanceOf(SealException.class);
    assertThatThrownBy(
            () ->
                sealed.rewrap(
                    key, new SealedFor("a", 1, "erp", OWNER.destination()), other.publicKey()))
        .isInstanceOf(SealException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "\"text\"", "null", "7", "{", "{}{}", "{} x", "{\"a\":1,\"a\":2}"})
  void sealsNothingButAJsonObject(String json) {
    assertThatThrownBy(
            () -> SealedSecrets.seal(utf8(json), OWNER, key.publicKey(), Optional.empty(), RANDOM))
        .isInstanceOf(SealException.class)
        .hasMessageContaining("JSON object");
  }

  @Test
  void opensNothingButAJsonObject() {
    DataKey dek = DataKey.owning(new byte[DataKey.BYTES]);
    SealedSecrets valid = sealWith(new byte[DataKey.BYTES], OWNER);
    byte[] noObject =
        dek.encrypt(new byte[DataKey.NONCE_BYTES], OWNER.secretsContext(), utf8("[1,2]"));

    assertUnopenable(
        new SealedSecrets(1, Octets.of(noObject), valid.dekCommitment(), valid.wraps())
            .open(key, OWNER));
  }

  @Test
  void sealsOneMebibyteAndNotAByteMore() {
    byte[] most = utf8("{\"k\":\"" + "x".repeat(1024 * 1024 - 8) + "\"}");
    byte[] over = utf8("{\"k\":\"" + "x".repeat(1024 * 1024 - 7) + "\"}");

    SealedSecrets large =
        SealedSecrets.seal(most, OWNER, key.publicKey(), Optional.empty(), RANDOM);

    assertThat(most).hasSize(1024 * 1024);
    assertThat(secretsOf(SealedSecrets.fromJson(large.toJson()).open(key, OWNER))).isEqualTo(most);
    assertThatThrownBy(
            () -> SealedSecrets.seal(over, OWNER, key.publicKey(), Optional.empty(), RANDOM))
        .hasMessageContaining("at most 1048576 bytes, found 1048577");
  }

  @Test
  void theLargestJsonFitsItsLimit() {
    byte[] most = utf8("{\"k\":\"" + "x".repeat(1024 * 1024 - 8) + "\"}");
    SealedSecrets one = SealedSecrets.seal(most, OWNER, key.publicKey(), Optional.empty(), RANDOM);
    Wrap wrap = one.wraps().getFirst();
    List<Wrap> four =
        java.util.stream.IntStream.range(0, SealedSecrets.MAX_WRAPS)
            .mapToObj(i -> new Wrap(Octets.sha256(new byte[i]), wrap.sealed()))
            .toList();

    byte[] json = new SealedSecrets(1, one.ciphertext(), one.dekCommitment(), four).toJson();

    assertThat(json.length).isLessThanOrEqualTo(SealedSecrets.MAX_JSON_BYTES);
    assertThat(SealedSecrets.fromJson(json).wraps()).isEqualTo(four);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "[]",
        "{}",
        "{\"format\":2}",
        "{\"format\":1,\"ciphertext\":\"AAAA\",\"dek_commitment\":\"AAAA\",\"wraps\":[]}"
      })
  void readsNoOtherShape(String json) {
    assertThatThrownBy(() -> SealedSecrets.fromJson(utf8(json))).isInstanceOf(SealException.class);
  }

  @Test
  void refusesNoWrapsTooManyWrapsAndTwoForOneRecipient() {
    Wrap wrap = sealed.wraps().getFirst();

    for (List<Wrap> wraps : List.of(List.<Wrap>of(), List.of(wrap, wrap))) {
      assertThatThrownBy(
              () -> new SealedSecrets(1, sealed.ciphertext(), sealed.dekCommitment(), wraps))
          .isInstanceOf(SealException.class);
    }
    List<Wrap> five =
        java.util.stream.IntStream.range(0, 5)
            .mapToObj(i -> new Wrap(Octets.sha256(new byte[i]), wrap.sealed()))
            .toList();
    assertThatThrownBy(
            () -> new SealedSecrets(1, sealed.ciphertext(), sealed.dekCommitment(), five))
        .hasMessageContaining("found 5 to 5");
  }

  @Test
  void printsNothingSecret() {
    Opening opened = sealed.open(key, OWNER);

    assertThat(opened).hasToString("Opened[secret]");
    assertThat(sealed.toString()).doesNotContain(PASSWORD).doesNotContain("ciphertext");
    assertThat(DataKey.generate(RANDOM)).hasToString("DataKey[secret]");
    assertThatThrownBy(
            () ->
                SealedSecrets.seal(
                    utf8("{\"password\":\"" + PASSWORD + "\"} x"),
                    OWNER,
                    key.publicKey(),
                    Optional.empty(),
                    RANDOM))
        .satisfies(SealedSecretsTest::quotesNothing);
    assertThatThrownBy(() -> SealedSecrets.fromJson(SECRETS))
        .satisfies(SealedSecretsTest::quotesNothing);
  }

  private static void quotesNothing(Throwable thrown) {
    for (Throwable at = thrown; at != null; at = at.getCause()) {
      assertThat(at.toString()).doesNotContain(PASSWORD).doesNotContain("horse");
    }
  }

  @Test
  void closingWipesTheSecrets() {
    var opened = (Opened) sealed.open(key, OWNER);

    opened.close();

    assertThat(opened.secretsJson()).containsOnly(0);
  }

  private SealedSecrets sealWith(byte[] dek, SealedFor owner) {
    return SealedSecrets.seal(
        SECRETS,
        owner,
        key.publicKey(),
        Optional.empty(),
        DataKey.owning(dek.clone()),
        new byte[DataKey.NONCE_BYTES]);
  }

  private static byte[] secretsOf(Opening opening) {
    assertThat(opening).isInstanceOf(Opened.class);
    return ((Opened) opening).secretsJson();
  }

  private static void assertUnopenable(Opening opening) {
    assertThat(opening)
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.reason()).isEqualTo(Reason.UNOPENABLE));
  }
}
