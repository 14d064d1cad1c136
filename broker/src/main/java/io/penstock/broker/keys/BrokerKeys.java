package io.penstock.broker.keys;

import io.penstock.broker.config.DataDirectory;
import io.penstock.codec.audit.AuditCheckpoint;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.RootLink;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import io.penstock.codec.seal.WipeOrder;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// All keys of one broker, opened once at the start and rotated while it runs. Callers get what a
/// key is for, never the key: signatures, derived secrets, wraps. Safe for use by many threads.
public final class BrokerKeys {
  private static final Duration KEYSET_LIFE = Duration.ofDays(90);
  private static final Duration KEYSET_RENEWAL = Duration.ofDays(30);
  private static final Duration NODE_LIFE = Duration.ofHours(24);
  // A document is valid from a little before now: the clocks of a cluster's nodes differ.
  private static final Duration BACKDATED = Duration.ofMinutes(5);

  private final Keystore keystore;
  private final SecureRandom random;
  private final Clock clock;
  private final Kek kek;
  private final EnrollRoot enrollRoot;
  private final RowMac rowMac;
  private final Revocations revocations;
  private volatile Ring ring;

  /// What peers are shown, all of one moment.
  ///
  /// @param keysetJws signed by the root
  /// @param rootLinks how older roots lead to it, oldest first
  public record Owner(
      Keyset keyset, String keysetJws, VerifyingKey root, List<RootLink> rootLinks) {}

  /// The keys of one keystore content, ready for use.
  private record Ring(
      Owner owner, Keyset ownKeyset, Map<ManagedKey, SigningKey> signing, JwtKeys jwt) {}

  private BrokerKeys(Keystore keystore, SecureRandom random, Clock clock) {
    this.keystore = keystore;
    this.random = random;
    this.clock = clock;
    this.kek = new Kek(random);
    this.enrollRoot = new EnrollRoot(clock);
    this.rowMac = new RowMac(keystore.content().signing(ManagedKey.ROW_MAC).secret());
    if (keystore.content().keysetJws().isEmpty()) {
      keystore.change(content -> withKeyset(content, 1));
    }
    // A rotation that was cut in two: no tunnel is up that has not heard of the announced keys.
    if (keystore.content().keys().stream().anyMatch(key -> key.state() == KeyState.ANNOUNCED)) {
      keystore.change(content -> KeyChanges.activated(content, clock.instant()));
    }
    this.ring = ringOf(keystore.content());
    useSecrets(keystore.content());
    enrollRoot.use(enrollRoots(keystore.content()));
    this.revocations =
        new Revocations(
            keystore,
            () -> signing(ManagedKey.RECORD),
            this::keyset,
            () -> ring.ownKeyset(),
            clock);
  }

  /// Opens `DATA/keystore` under the master key, or makes it with new keys on the first start.
  public static BrokerKeys open(
      DataDirectory data, MasterKey masterKey, SecureRandom random, Clock clock) {
    return new BrokerKeys(Keystore.open(data, masterKey, random, clock), random, clock);
  }

  private static Ring ringOf(KeystoreContent content) {
    var signing = new EnumMap<ManagedKey, SigningKey>(ManagedKey.class);
    Stream.of(ManagedKey.values())
        .filter(ManagedKey::signs)
        .forEach(use -> signing.put(use, content.signing(use).signingKey()));
    SigningKey root = content.signing(ManagedKey.ROOT).signingKey();
    // An expired keyset is read all the same: current() renews it.
    Keyset keyset = Keyset.verifyIgnoringTime(content.keysetJws(), root.verifyingKey());
    var own =
        new Keyset(
            keyset.version(),
            keyset.notBeforeEpochSeconds(),
            keyset.expiresEpochSeconds(),
            KeyChanges.keysetKeys(content, true),
            keyset.laterIncarnation());
    var jwt =
        new JwtKeys(
            content.signing(ManagedKey.JWT).signingKey(),
            content.stream(ManagedKey.JWT, KeyState.VERIFYING)
                .map(StoredKey::verifyingKey)
                .toList());
    return new Ring(
        new Owner(keyset, content.keysetJws(), root.verifyingKey(), content.rootLinks()),
        own,
        Map.copyOf(signing),
        jwt);
  }

  private void useSecrets(KeystoreContent content) {
    kek.use(
        Stream.concat(
                Stream.of(content.signing(ManagedKey.KEK)),
                content.stream(ManagedKey.KEK, KeyState.VERIFYING))
            .map(StoredKey::secret)
            .toList());
  }

  private static List<EnrollRoot.Held> enrollRoots(KeystoreContent content) {
    return Stream.concat(
            content.stream(ManagedKey.ENROLL_ROOT, KeyState.VERIFYING),
            Stream.of(content.signing(ManagedKey.ENROLL_ROOT)))
        .map(EnrollRoot::held)
        .toList();
  }

  /// Every change of keys: durable when it returns, together with the keyset that it needs.
  private synchronized void change(UnaryOperator<KeystoreContent> change) {
    keystore.change(
        old -> {
          KeystoreContent next = change.apply(old);
          boolean same =
              KeyChanges.keysetKeys(old).equals(KeyChanges.keysetKeys(next))
                  && old.rootLinks().equals(next.rootLinks());
          return same ? next : withKeyset(next, ring.owner().keyset().version() + 1);
        });
    ring = ringOf(keystore.content());
    useSecrets(keystore.content());
  }

  /// Of the incarnation that the keyset before it has.
  private KeystoreContent withKeyset(KeystoreContent content, long version) {
    @Nullable Ring before = ring;
    return withKeyset(
        content,
        version,
        before == null ? null : before.owner().keyset().laterIncarnation(),
        clock.instant());
  }

  private static KeystoreContent withKeyset(
      KeystoreContent content, long version, @Nullable Long incarnation, Instant now) {
    var issued =
        new Keyset(
            version,
            now.minus(BACKDATED).getEpochSecond(),
            now.plus(KEYSET_LIFE).getEpochSecond(),
            KeyChanges.keysetKeys(content),
            incarnation);
    return content.withKeyset(issued.sign(content.signing(ManagedKey.ROOT).signingKey()));
  }

  // Backup (`docs/backup.md`).

  /// Everything in the keystore as it is now, in the clear: for a backup, which seals it. The
  /// caller wipes it.
  public byte[] secretsForBackup() {
    return keystore.content().toJson();
  }

  /// Seals what [#secretsForBackup] answered under this directory's master key, in a new
  /// incarnation: agents that have seen more than the backup holds follow what it says from now on.
  /// Both counters begin above everything that this owner can have signed, a restore from the same
  /// backup before this one included. Throws [SealException] when it is no keystore's content.
  ///
  /// @return the file, not yet written
  public static byte[] restored(
      byte[] secrets, MasterKey masterKey, SecureRandom random, Clock clock) {
    KeystoreContent content = KeystoreContent.parse(secrets);
    Keyset before = ringOf(content).owner().keyset();
    Instant now = clock.instant();
    long above = now.getEpochSecond();
    KeystoreContent next =
        withKeyset(
            content,
            Math.max(before.version() + 1, above),
            Math.max(before.incarnation() + 1, above),
            now);
    return Keystore.sealed(next, masterKey, random);
  }

  /// What head manifests are of.
  public long incarnation() {
    return keyset().incarnation();
  }

  /// When this incarnation began; the beginning of time for the first one.
  public Instant incarnationBegan() {
    long incarnation = incarnation();
    return incarnation == Keyset.FIRST_INCARNATION
        ? Instant.EPOCH
        : Instant.ofEpochSecond(incarnation);
  }

  // What keys are for.

  public VerifyingKey rootKey() {
    return ring.owner().root();
  }

  /// What enrollment tokens pin.
  public Octets rootSha256() {
    return rootKey().sha256();
  }

  /// As peers get it; a new keyset is signed when the old one has less than 30 days to go.
  public Owner owner() {
    Owner owner = ring.owner();
    return isDue(owner.keyset()) ? renewed() : owner;
  }

  private synchronized Owner renewed() {
    if (isDue(ring.owner().keyset())) {
      keystore.change(content -> withKeyset(content, ring.owner().keyset().version() + 1));
      ring = ringOf(keystore.content());
    }
    return ring.owner();
  }

  private boolean isDue(Keyset keyset) {
    long renewAt = keyset.expiresEpochSeconds() - KEYSET_RENEWAL.toSeconds();
    return clock.instant().getEpochSecond() >= renewAt;
  }

  public Keyset keyset() {
    return owner().keyset();
  }

  /// With keys that are retired too, for rows that carry our MAC besides: what a retired key signed
  /// can still be read and signed anew here, while nobody else believes it.
  public Keyset ownKeyset() {
    return ring.ownKeyset();
  }

  public String keysetJws() {
    return owner().keysetJws();
  }

  /// Certifies a node's X25519 static key for 24 hours.
  public String certifyNode(String node, Octets staticKey) {
    Instant now = clock.instant();
    var certificate =
        new NodeCertificate(
            node,
            staticKey,
            now.minus(BACKDATED).getEpochSecond(),
            now.plus(NODE_LIFE).getEpochSecond());
    return certificate.sign(signing(ManagedKey.NODE_ISSUER));
  }

  public String sign(AgentRecord agentRecord) {
    return agentRecord.sign(signing(ManagedKey.RECORD));
  }

  public String sign(ConfigurationHeader header) {
    return header.sign(signing(ManagedKey.CONFIGURATION));
  }

  public String sign(HeadManifest head) {
    return head.sign(signing(ManagedKey.CONFIGURATION));
  }

  public String sign(WipeOrder order) {
    return order.sign(signing(ManagedKey.RECORD));
  }

  public String sign(AuditCheckpoint checkpoint) {
    return checkpoint.sign(signing(ManagedKey.CHECKPOINT));
  }

  private SigningKey signing(ManagedKey use) {
    SigningKey key = ring.signing().get(use);
    if (key == null) {
      throw new IllegalStateException(use + " does not sign");
    }
    return key;
  }

  public JwtKeys jwtKeys() {
    return ring.jwt();
  }

  public Kek kek() {
    return kek;
  }

  public EnrollRoot enrollRoot() {
    return enrollRoot;
  }

  public RowMac rowMac() {
    return rowMac;
  }

  public Revocations revocations() {
    return revocations;
  }

  // Rotation, step by step (`docs/keys.md`).

  /// Older ones of a use first.
  public List<KeyView> list() {
    return keystore.content().keys().stream().map(KeyView::of).toList();
  }

  /// The one of a use that signs, wraps or derives.
  public String signingKid(ManagedKey use) {
    return keystore.content().signing(use).kid();
  }

  /// Makes new keys of the keyset and lists them in it. Nothing is signed by them before
  /// [#activate]: between the two, whoever is connected is shown the keyset.
  public void announce(Set<ManagedKey> uses) {
    if (!uses.stream().allMatch(use -> use.inKeyset().isPresent())) {
      throw new IllegalArgumentException("not all of the keyset: " + uses);
    }
    change(old -> KeyChanges.announced(old, uses, random, clock.instant()));
  }

  /// Announced keys sign from now on; the keyset does not change.
  public void activate() {
    change(old -> KeyChanges.activated(old, clock.instant()));
  }

  /// A new JWT key or KEK; the old one verifies or unwraps.
  public void replace(ManagedKey use) {
    if (use != ManagedKey.JWT && use != ManagedKey.KEK) {
      throw new IllegalArgumentException(use + " is not replaced like that");
    }
    change(old -> KeyChanges.replaced(old, use, random, clock.instant()));
  }

  /// Tokens made from now on derive from a new root.
  public void replaceEnrollRoot() {
    enrollRoot.replace(
        from -> {
          change(old -> KeyChanges.replaced(old, ManagedKey.ENROLL_ROOT, random, from));
          return enrollRoots(keystore.content());
        });
  }

  /// A new root that signs the keyset; the old one named it and is destroyed.
  public void rotateRoot() {
    change(old -> KeyChanges.withNewRoot(old, random, clock.instant()));
  }

  /// What a replaced key made does not count any more. The caller has seen to it that nothing needs
  /// it, or wants just that.
  public void retire(String kid) {
    change(
        old ->
            old.moving(
                key -> key.kid().equals(kid) && key.state() == KeyState.VERIFYING,
                KeyState.RETIRED,
                clock.instant()));
    enrollRoot.use(enrollRoots(keystore.content()));
  }

  @Override
  public String toString() {
    return "BrokerKeys[secret]";
  }
}
