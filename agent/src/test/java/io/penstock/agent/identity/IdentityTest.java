package io.penstock.agent.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.agent.identity.BrokerTrust.Pin;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.EnrollmentToken;
import io.penstock.codec.seal.Fingerprint;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.TokenSecret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IdentityTest {
  private static final UnlockSeal.Source NONE = new UnlockSeal.Source.None();

  private final SecureRandom random = new SecureRandom();
  @TempDir private Path parent;
  private Path dir;

  @BeforeEach
  void directory() {
    dir = parent.resolve("data");
  }

  private static EnrollmentToken token() {
    return new EnrollmentToken(
        Octets.of(new byte[16]),
        TokenSecret.of(new byte[32]),
        Octets.of(new byte[32]),
        Instant.ofEpochSecond(2_000_000_000),
        "https://broker.example",
        Optional.empty());
  }

  private Identity create(UnlockSeal.Source source, boolean keepToken) throws Exception {
    try (var data = DataDirectory.open(dir)) {
      return Identity.create(data, source, token(), keepToken, random);
    }
  }

  private Identity load(UnlockSeal.Source source) throws Exception {
    try (var data = DataDirectory.open(dir)) {
      return Identity.load(data, source, random).orElseThrow();
    }
  }

  private String file() throws IOException {
    return Files.readString(dir.resolve(IdentityFile.NAME), StandardCharsets.ISO_8859_1);
  }

  private Path secretFile(String name, String text) throws IOException {
    return Files.writeString(parent.resolve(name), text);
  }

  @Test
  void keepsItsDirectoryToItsOwner() throws Exception {
    create(NONE, false);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(dir)))
        .isEqualTo("rwx------");
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(dir.resolve(IdentityFile.NAME))))
        .isEqualTo("rw-------");
  }

  @Test
  void refusesADirectoryThatAnotherAgentHolds() throws Exception {
    try (var _ = DataDirectory.open(dir)) {
      assertThatThrownBy(() -> DataDirectory.open(dir))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("in use by another agent");
    }
  }

  @Test
  void hasTheSameDevKeyAfterARestart() throws Exception {
    PublicKey before = create(NONE, false).dev().publicKey();

    assertThat(load(NONE).dev().publicKey()).isEqualTo(before);
  }

  @Test
  void keepsATokenOfStandardInputUntilPendingAndNeverInTheClear() throws Exception {
    create(NONE, true);

    String text = token().text();
    assertThat(file()).doesNotContain(text).doesNotContain(text.substring(10, 30));
    assertThat(load(NONE).keptToken()).contains(token());

    try (var data = DataDirectory.open(dir)) {
      Identity identity = Identity.load(data, NONE, random).orElseThrow();
      identity.pending("plant-7", "plant", new Fingerprint("ABCD-EFGH"));
    }

    Identity after = load(NONE);
    assertThat(after.keptToken()).isEmpty();
    assertThat(after.agent()).contains("plant-7");
    assertThat(dir.resolve("fingerprint")).hasContent("ABCD-EFGH\n");
  }

  @Test
  void opensWithThePassphraseOnly() throws Exception {
    var right = new UnlockSeal.Source.Passphrase(secretFile("right", "correct horse\n"));
    var wrong = new UnlockSeal.Source.Passphrase(secretFile("wrong", "battery staple\n"));
    PublicKey before = create(right, false).dev().publicKey();

    assertThat(load(right).dev().publicKey()).isEqualTo(before);
    assertThatThrownBy(() -> load(wrong))
        .isInstanceOf(IdentityException.class)
        .hasMessageContaining("does not open");
    assertThatThrownBy(() -> load(NONE)).hasMessageContaining("needs unlock.passphrase_file");
  }

  @Test
  void opensWithTheCredentialOnly() throws Exception {
    var right = new UnlockSeal.Source.SystemdCredential(secretFile("right", "0123456789abcdef"));
    PublicKey before = create(right, false).dev().publicKey();

    assertThat(load(right).dev().publicKey()).isEqualTo(before);
    assertThatThrownBy(() -> load(NONE)).hasMessageContaining("needs unlock.systemd_credential");
  }

  @Test
  void takesUpAPassphraseThatComesLater() throws Exception {
    var passphrase = new UnlockSeal.Source.Passphrase(secretFile("p", "correct horse"));
    PublicKey before = create(NONE, false).dev().publicKey();

    load(passphrase);

    assertThatThrownBy(() -> load(NONE)).isInstanceOf(IdentityException.class);
    assertThat(load(passphrase).dev().publicKey()).isEqualTo(before);
  }

  @Test
  void wrapsTheBundleForThisSecretAndEpochOnly() throws Exception {
    try (var data = DataDirectory.open(dir)) {
      Identity identity = Identity.create(data, NONE, token(), false, random);
      IdentityBundle bundle = identity.newBundle();
      byte[] now = identity.wrap(bundle);
      Identity.Rotation rotation = identity.rotation(bundle);
      byte[] next = rotation.innerBundle();

      assertThat(identity.unwrap(now).signing().verifyingKey())
          .isEqualTo(bundle.signing().verifyingKey());
      assertThatThrownBy(() -> identity.unwrap(next)).isInstanceOf(IdentityException.class);

      rotation.stage();
      rotation.switchTo();

      assertThat(identity.unwrap(next).sealing().publicKey())
          .isEqualTo(bundle.sealing().publicKey());
      assertThatThrownBy(() -> identity.unwrap(now)).isInstanceOf(IdentityException.class);
    }
  }

  @Test
  void aSuccessorKeepsTheFormerSealingKeysUpToThree() throws Exception {
    Identity identity = create(NONE, false);
    var made = new ArrayList<Octets>();
    IdentityBundle bundle = identity.newBundle();
    made.addFirst(bundle.sealing().publicKey());
    for (int i = 0; i < 5; i++) {
      Identity.Successor next = identity.successor(bundle, "i-" + i);
      assertThat(next.bundle().signing().verifyingKey())
          .isNotEqualTo(bundle.signing().verifyingKey());
      bundle = identity.unwrap(next.innerBundle());
      made.addFirst(bundle.sealing().publicKey());

      assertThat(bundle.sealingKeys().stream().map(SealingKey::publicKey))
          .isEqualTo(made.stream().limit(1 + IdentityBundle.MAX_FORMER).toList());
      assertThat(identity.sealingKeys().stream().map(SealingKey::publicKey))
          .isEqualTo(bundle.sealingKeys().stream().map(SealingKey::publicKey).toList());
    }
  }

  @Test
  void aBundleWithoutFormerKeysIsOfTheFirstFormat() throws Exception {
    Identity identity = create(NONE, false);
    IdentityBundle first = identity.newBundle();

    // Format, two seeds, and what AES-256-GCM adds: nonce and tag.
    assertThat(identity.wrap(first)).hasSize(1 + 32 + 32 + 12 + 16);
    // And a former sealing key, and where both come from.
    assertThat(identity.successor(first, "i").innerBundle())
        .hasSize(1 + 32 + 32 + 32 + 2 * 32 + 12 + 16);
  }

  @Test
  void keysRememberTheInstructionThatTheyWereMadeFor() throws Exception {
    Identity identity = create(NONE, false);
    IdentityBundle bundle = identity.unwrap(identity.wrap(identity.newBundle()));
    assertThat(identity.isRotatedFor("i-0")).isFalse();
    for (int i = 0; i <= 1 + IdentityBundle.MAX_FORMER; i++) {
      bundle = identity.unwrap(identity.successor(bundle, "i-" + i).innerBundle());
      assertThat(identity.isRotatedFor("i-" + i)).isTrue();
    }

    // As many as former keys, besides the present one.
    assertThat(identity.isRotatedFor("i-0")).isFalse();
    assertThat(identity.isRotatedFor("i-1")).isTrue();
    assertThat(identity.isRotatedFor("")).isFalse();
  }

  @Test
  void refusesABundleWithAnyBitFlipped() throws Exception {
    Identity identity = create(NONE, false);
    byte[] inner = identity.wrap(identity.newBundle());

    for (int i = 0; i < inner.length; i++) {
      byte[] bad = inner.clone();
      bad[i] ^= 1;
      assertThatThrownBy(() -> identity.unwrap(bad)).isInstanceOf(IdentityException.class);
    }
  }

  @Test
  void comesBackWithTheCurrentSecretWhenNextWasOnlyStaged() throws Exception {
    PublicKey before;
    try (var data = DataDirectory.open(dir)) {
      Identity identity = Identity.create(data, NONE, token(), false, random);
      before = identity.dev().publicKey();
      identity.rotation(identity.newBundle()).stage();
    }

    Identity after = load(NONE);
    assertThat(after.dev().publicKey()).isEqualTo(before);
    assertThat(after.unlockEpoch()).isZero();
    assertThat(dir.resolve("identity.next")).doesNotExist();
  }

  @Test
  void comesBackWithTheNextSecretOnceSwitched() throws Exception {
    PublicKey next;
    try (var data = DataDirectory.open(dir)) {
      Identity identity = Identity.create(data, NONE, token(), false, random);
      Identity.Rotation rotation = identity.rotation(identity.newBundle());
      next = rotation.devKey();
      rotation.stage();
      rotation.switchTo();
      assertThat(identity.dev().publicKey()).isEqualTo(next);
    }

    Identity after = load(NONE);
    assertThat(after.dev().publicKey()).isEqualTo(next);
    assertThat(after.unlockEpoch()).isEqualTo(1);
  }

  @Test
  void refusesADamagedFileWithoutQuotingIt() throws Exception {
    create(NONE, false);
    Files.writeString(dir.resolve(IdentityFile.NAME), "{\"format\":1,\"canary");

    assertThatThrownBy(() -> load(NONE))
        .isInstanceOf(IdentityException.class)
        .hasMessageNotContaining("canary");
  }

  @Test
  void leavesNothingButTheLockWhenWiped() throws Exception {
    try (var data = DataDirectory.open(dir)) {
      Identity identity = Identity.create(data, NONE, token(), false, random);
      identity.pending("plant-7", "plant", new Fingerprint("ABCD-EFGH"));
      Files.createDirectory(dir.resolve("spool"));
      Files.writeString(dir.resolve("spool").resolve("1"), "x".repeat(20_000));

      identity.wipe();
    }

    try (var files = Files.list(dir)) {
      assertThat(files).containsExactly(dir.resolve("lock"));
    }
  }

  @Test
  void nothingIsWrittenAfterAWipe() throws Exception {
    try (var data = DataDirectory.open(dir)) {
      Identity identity = Identity.create(data, NONE, token(), false, random);
      var rotation = identity.rotation(identity.newBundle());
      identity.wipe();

      assertThatThrownBy(() -> identity.approved(1)).hasMessageContaining("is wiped");
      assertThatThrownBy(rotation::stage).hasMessageContaining("is wiped");
    }

    assertThat(dir).isDirectoryNotContaining(it -> !it.endsWith("lock"));
  }

  @Test
  void neverLowersItsKeysetFloor() throws Exception {
    Identity identity = create(NONE, false);

    identity.ownerSeen(identity.pin(), new Pin(identity.rootSha256(), 7));
    assertThatThrownBy(() -> identity.ownerSeen(identity.pin(), new Pin(identity.rootSha256(), 3)))
        .isInstanceOf(IdentityException.class)
        .hasMessageContaining("newer keyset");

    assertThat(load(NONE).keysetVersion()).isEqualTo(7);
  }

  @Test
  void movesItsPinOnceAndNeverBackByWhatAnOlderPinJudged() throws Exception {
    Identity identity = create(NONE, false);
    Pin first = identity.pin();
    var second = new Pin(Octets.sha256(new byte[] {2}), 7);

    identity.ownerSeen(first, second);

    assertThat(load(NONE).pin()).isEqualTo(second);
    assertThatThrownBy(() -> identity.ownerSeen(first, new Pin(first.rootSha256(), 9)))
        .isInstanceOf(IdentityException.class)
        .hasMessageContaining("newer root");
    assertThat(load(NONE).pin()).isEqualTo(second);
  }
}
