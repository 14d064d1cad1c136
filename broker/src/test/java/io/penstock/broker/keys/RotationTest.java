package io.penstock.broker.keys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.Revocations.Recovery;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotationTest {
  private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final byte[] STATIC_KEY = new byte[32];

  @TempDir Path temporary;
  private DataDirectory data;
  private BrokerKeys keys;

  @BeforeEach
  void openData() {
    data = DataDirectory.open(temporary);
    keys = reopened();
  }

  @AfterEach
  void closeData() {
    data.close();
  }

  private BrokerKeys reopened() {
    return reopened(NOW);
  }

  private BrokerKeys reopened(Instant now) {
    return BrokerKeys.open(data, masterKey(), RANDOM, Clock.fixed(now, ZoneOffset.UTC));
  }

  private MasterKey masterKey() {
    return MasterKey.load(Optional.empty(), data, RANDOM);
  }

  private List<KeyState> states(ManagedKey use) {
    return keys.list().stream().filter(key -> key.use() == use).map(KeyView::state).toList();
  }

  private String kid(ManagedKey use, KeyState state) {
    return keys.list().stream()
        .filter(key -> key.use() == use && key.state() == state)
        .map(KeyView::kid)
        .collect(Collectors.joining(" "));
  }

  private HeadManifest head() {
    return new HeadManifest("press", 1, 1, 1, 10, 20, new TreeMap<>());
  }

  @Test
  void anAnnouncedKeyIsListedAndSignsNothingYet() {
    String before = keys.signingKid(ManagedKey.CONFIGURATION);
    Keyset known = keys.keyset();

    keys.announce(Set.of(ManagedKey.CONFIGURATION));

    assertThat(states(ManagedKey.CONFIGURATION))
        .containsExactly(KeyState.SIGNING, KeyState.ANNOUNCED);
    assertThat(keys.keyset().version()).isEqualTo(2);
    assertThat(keys.signingKid(ManagedKey.CONFIGURATION)).isEqualTo(before);
    assertThatCode(() -> HeadManifest.verify(keys.sign(head()), known)).doesNotThrowAnyException();
  }

  @Test
  void whatTheOldKeySignedHoldsUntilItIsRetired() {
    String old = keys.sign(head());
    String oldCertificate = keys.certifyNode("node-1", Octets.of(STATIC_KEY));
    keys.announce(Set.of(ManagedKey.CONFIGURATION, ManagedKey.NODE_ISSUER));
    keys.activate();

    assertThat(keys.keyset().version()).isEqualTo(2);
    assertThatCode(() -> HeadManifest.verify(old, keys.keyset())).doesNotThrowAnyException();
    assertThatCode(() -> HeadManifest.verify(keys.sign(head()), keys.keyset()))
        .doesNotThrowAnyException();
    assertThatCode(() -> NodeCertificate.verify(oldCertificate, keys.keyset(), STATIC_KEY, NOW))
        .doesNotThrowAnyException();

    keys.retire(kid(ManagedKey.CONFIGURATION, KeyState.VERIFYING));

    assertThat(keys.keyset().version()).isEqualTo(3);
    assertThatThrownBy(() -> HeadManifest.verify(old, keys.keyset()))
        .isInstanceOf(SealException.class);
    assertThatCode(() -> HeadManifest.verify(old, keys.ownKeyset())).doesNotThrowAnyException();
  }

  @Test
  void aBrokerKilledBetweenAnnouncingAndUsingGoesOnAtItsStart() {
    keys.announce(Set.of(ManagedKey.RECORD));
    String announced = kid(ManagedKey.RECORD, KeyState.ANNOUNCED);

    keys = reopened();

    assertThat(keys.signingKid(ManagedKey.RECORD)).isEqualTo(announced);
    assertThat(states(ManagedKey.RECORD)).containsExactly(KeyState.VERIFYING, KeyState.SIGNING);
    assertThat(keys.keyset().version()).isEqualTo(2);
  }

  @Test
  void aNewRootIsNamedByTheOldOneWhichIsGone() {
    Octets first = keys.rootSha256();

    keys.rotateRoot();
    keys.rotateRoot();
    keys = reopened();

    BrokerKeys.Owner owner = keys.owner();
    assertThat(owner.rootLinks()).hasSize(2);
    assertThat(owner.rootLinks().stream().map(RootLink::verify).map(RootLink.Succession::sequence))
        .containsExactly(1L, 2L);
    assertThat(
            Keyset.verify(owner.keysetJws(), owner.root(), owner.rootLinks(), first, NOW).version())
        .isEqualTo(3);
    assertThat(states(ManagedKey.ROOT))
        .containsExactly(KeyState.RETIRED, KeyState.RETIRED, KeyState.SIGNING);
    assertThatThrownBy(() -> Keyset.verify(owner.keysetJws(), owner.root(), first, NOW))
        .hasMessage("the root key is not the pinned one");
  }

  @Test
  void aNewKekWrapsAndTheOldOneUnwrapsUntilItIsRetired() {
    byte[] old = keys.kek().wrap("a1", "bundle".getBytes(UTF_8));
    keys.replace(ManagedKey.KEK);
    keys = reopened();
    Kek kek = keys.kek();

    assertThat(kek.unwrap("a1", old)).asString(UTF_8).isEqualTo("bundle");
    byte[] rewrapped = kek.rewrap("a1", old).orElseThrow();
    assertThat(kek.rewrap("a1", rewrapped)).isEmpty();
    assertThatThrownBy(() -> kek.rewrap("a2", old)).isInstanceOf(SealException.class);
    assertThatThrownBy(() -> keys.replace(ManagedKey.KEK))
        .isInstanceOf(RotationRefusedException.class)
        .hasMessageContaining("still under way");

    keys.retire(kid(ManagedKey.KEK, KeyState.VERIFYING));

    assertThat(kek.unwrap("a1", rewrapped)).asString(UTF_8).isEqualTo("bundle");
    assertThatThrownBy(() -> kek.unwrap("a1", old)).hasMessageContaining("does not hold");
  }

  @Test
  void aTokenBelongsToTheEnrollRootOfItsTime() {
    EnrollRoot root = keys.enrollRoot();
    Instant before = root.now();
    var binding =
        new TokenBinding(
            Octets.of(new byte[16]),
            NOW.plusSeconds(60),
            Optional.of("press"),
            Optional.empty(),
            Map.of(),
            List.of(),
            false);
    var secret = root.secretOf(binding, before);

    keys.replaceEnrollRoot();

    Instant after = root.now();
    assertThat(after).isAfter(before);
    assertThat(root.secretOf(binding, before)).isEqualTo(secret);
    assertThat(root.secretOf(binding, after)).isNotEqualTo(secret);
    assertThat(reopened().enrollRoot().secretOf(binding, before)).isEqualTo(secret);

    keys.retire(kid(ManagedKey.ENROLL_ROOT, KeyState.VERIFYING));

    assertThat(root.secretOf(binding, before)).isNotEqualTo(secret);
  }

  @Test
  void theRevocationListIsSignedAgainAsTheNextOne() {
    Revocations revocations = keys.revocations();
    revocations.advance(revocations.prepare("a1").jws());
    assertThat(revocations.prepareResigned()).isEmpty();
    keys.announce(Set.of(ManagedKey.RECORD));
    keys.activate();

    var next = revocations.prepareResigned().orElseThrow();

    assertThat(revocations.recover(next.jws())).isEqualTo(Recovery.ADVANCED);
    assertThat(revocations.prepareResigned()).isEmpty();
    keys.retire(kid(ManagedKey.RECORD, KeyState.VERIFYING));
    assertThat(reopened().revocations().isRevoked("a1")).isTrue();
  }

  @Test
  void aReplacedSigningKeyLeavesItsSecretBehind() {
    keys.replace(ManagedKey.JWT);

    assertThat(keys.jwtKeys().replaced()).hasSize(1);
    KeystoreContent stored =
        Keystore.open(data, masterKey(), RANDOM, Clock.fixed(NOW, ZoneOffset.UTC)).content();
    StoredKey old = stored.stream(ManagedKey.JWT, KeyState.VERIFYING).findFirst().orElseThrow();
    assertThat(old.material()).isEqualTo(keys.jwtKeys().replaced().getFirst().octets().bytes());
  }

  @Test
  void theKeysetNeverGrowsPastItsLimit() {
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < Keyset.MAX_KEYS; i++) {
                keys.announce(Set.of(ManagedKey.CONFIGURATION));
                keys.activate();
              }
            })
        .isInstanceOf(RotationRefusedException.class)
        .hasMessageContaining("retire old ones first");
    assertThatCode(this::reopened).doesNotThrowAnyException();
  }

  @Test
  void aKeystoreWithoutStatesIsReadAndItsWrapsOpen() {
    var secrets =
        java.util.Arrays.stream(ManagedKey.values())
            .collect(
                Collectors.toMap(
                    Enum::name,
                    use -> Base64.getEncoder().encodeToString(filled((byte) use.name().length()))));
    String json =
        new io.vertx.core.json.JsonObject()
            .put("format", 1)
            .put("secrets", new io.vertx.core.json.JsonObject(Map.copyOf(secrets)))
            .put("keyset", "")
            .put("revocations", "")
            .encode();
    data.write(
        "keystore",
        new Sealer(masterKey().derive("penstock keystore 1"), RANDOM)
            .seal("penstock keystore 1", json.getBytes(UTF_8)));
    byte[] kek = filled((byte) ManagedKey.KEK.name().length());
    byte[] wrapped =
        new Sealer(new javax.crypto.spec.SecretKeySpec(kek, "AES"), RANDOM)
            .seal("a1", "bundle".getBytes(UTF_8));

    keys = reopened();
    keys.replace(ManagedKey.KEK);

    assertThat(keys.kek().unwrap("a1", wrapped)).asString(UTF_8).isEqualTo("bundle");
    assertThat(keys.list().getFirst().createdAt()).isEmpty();
    assertThat(reopened(NOW.plus(Duration.ofDays(1))).rootSha256()).isEqualTo(keys.rootSha256());
  }

  private static byte[] filled(byte value) {
    byte[] bytes = new byte[32];
    java.util.Arrays.fill(bytes, value);
    return bytes;
  }
}
