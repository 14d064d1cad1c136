package io.penstock.broker.keys;

import io.penstock.broker.config.DataDirectory;
import io.penstock.broker.keys.KeystoreContent.Secret;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.ConfigurationHeader;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.KeyUse;
import io.penstock.codec.seal.Keyset;
import io.penstock.codec.seal.NodeCertificate;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.VerifyingKey;
import io.penstock.codec.seal.WipeOrder;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/// All keys of one broker, opened once at the start. Callers get what a key is for, never the key:
/// signatures, derived secrets, wraps. Safe for use by many threads.
public final class BrokerKeys {
  private static final Duration KEYSET_LIFE = Duration.ofDays(90);
  private static final Duration KEYSET_RENEWAL = Duration.ofDays(30);
  private static final Duration NODE_LIFE = Duration.ofHours(24);
  // A document is valid from a little before now: the clocks of a cluster's nodes differ.
  private static final Duration BACKDATED = Duration.ofMinutes(5);

  private final Keystore keystore;
  private final Clock clock;
  private final SigningKey root;
  private final SigningKey issuer;
  private final SigningKey recordKey;
  private final SigningKey configurationKey;
  private final SigningKey jwtKey;
  private final Kek kek;
  private final EnrollRoot enrollRoot;
  private final RowMac rowMac;
  private final Revocations revocations;
  private SignedKeyset keyset;

  private record SignedKeyset(Keyset keyset, String jws) {}

  private BrokerKeys(Keystore keystore, SecureRandom random, Clock clock) {
    KeystoreContent content = keystore.content();
    this.keystore = keystore;
    this.clock = clock;
    this.root = content.signingKey(Secret.ROOT);
    this.issuer = content.signingKey(Secret.NODE_ISSUER);
    this.recordKey = content.signingKey(Secret.RECORD);
    this.configurationKey = content.signingKey(Secret.CONFIGURATION);
    this.jwtKey = content.signingKey(Secret.JWT);
    this.kek = new Kek(content.secret(Secret.KEK), random);
    this.enrollRoot = new EnrollRoot(content.secret(Secret.ENROLL_ROOT));
    this.rowMac = new RowMac(content.secret(Secret.ROW_MAC));
    this.keyset = content.keysetJws().isEmpty() ? issue(1) : readKeyset(content.keysetJws());
    this.revocations = new Revocations(keystore, recordKey, this::keyset, clock);
  }

  /// Opens `DATA/keystore` under the master key, or makes it with new keys on the first start.
  public static BrokerKeys open(
      DataDirectory data, MasterKey masterKey, SecureRandom random, Clock clock) {
    return new BrokerKeys(Keystore.open(data, masterKey, random), random, clock);
  }

  public VerifyingKey rootKey() {
    return root.verifyingKey();
  }

  /// What enrollment tokens pin.
  public Octets rootSha256() {
    return rootKey().sha256();
  }

  public Keyset keyset() {
    return current().keyset();
  }

  /// The keyset as peers get it; a new version is signed when the old one has less than 30 days to
  /// go.
  public String keysetJws() {
    return current().jws();
  }

  private synchronized SignedKeyset current() {
    long renewAt = keyset.keyset().expiresEpochSeconds() - KEYSET_RENEWAL.toSeconds();
    if (clock.instant().getEpochSecond() >= renewAt) {
      keyset = issue(keyset.keyset().version() + 1);
    }
    return keyset;
  }

  private SignedKeyset issue(long version) {
    Instant now = clock.instant();
    KeystoreContent content = keystore.content();
    var issued =
        new Keyset(
            version,
            now.minus(BACKDATED).getEpochSecond(),
            now.plus(KEYSET_LIFE).getEpochSecond(),
            List.of(
                Keyset.Key.of(KeyUse.NODE_ISSUER, issuer.verifyingKey()),
                Keyset.Key.of(KeyUse.RECORD, recordKey.verifyingKey()),
                Keyset.Key.of(KeyUse.CONFIGURATION, configurationKey.verifyingKey()),
                Keyset.Key.of(
                    KeyUse.CHECKPOINT, content.signingKey(Secret.CHECKPOINT).verifyingKey())));
    String jws = issued.sign(root);
    keystore.change(old -> old.withKeyset(jws));
    return new SignedKeyset(issued, jws);
  }

  /// An expired keyset is read all the same: [#current] renews it.
  private SignedKeyset readKeyset(String jws) {
    return new SignedKeyset(Keyset.verifyIgnoringTime(jws, root.verifyingKey()), jws);
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
    return certificate.sign(issuer);
  }

  public String sign(AgentRecord agentRecord) {
    return agentRecord.sign(recordKey);
  }

  public String sign(ConfigurationHeader header) {
    return header.sign(configurationKey);
  }

  public String sign(HeadManifest head) {
    return head.sign(configurationKey);
  }

  public String sign(WipeOrder order) {
    return order.sign(recordKey);
  }

  public SigningKey jwtKey() {
    return jwtKey;
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

  @Override
  public String toString() {
    return "BrokerKeys[secret]";
  }
}
