package io.penstock.agent.identity;

import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SigningKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// The identity keys of an agent, whole only in the memory of a connected process:
///
/// ```
/// +------------+-----------------+-----------------+------------------------------------+
/// | format u8  | sealing seed 32 | signing seed 32 | format 2: former sealing seeds, 32 |
/// | 1 or 2     |                 |                 | each, newest first, 1 to 3         |
/// +------------+-----------------+-----------------+------------------------------------+
/// ```
///
/// Wrapped under the unlock secret it is the *inner bundle* that the cloud keeps (design: split
/// custody). Former sealing keys open what was sealed before the keys were replaced, until it is
/// wrapped anew.
///
/// The wrap's context is the dev key and the unlock epoch. The dev key names the agent here: its
/// name may still be open when the bundle is made.
public final class IdentityBundle {
  /// Replacing the keys once more drops the oldest.
  static final int MAX_FORMER = 3;

  private static final byte FORMAT = 1;
  private static final byte FORMAT_WITH_FORMER = 2;
  private static final byte[] LABEL =
      "penstock inner bundle v1".getBytes(StandardCharsets.US_ASCII);
  private static final int FORMER_AT = 1 + SealingKey.SEED_BYTES + SigningKey.SEED_BYTES;

  private final SealingKey sealing;
  private final SigningKey signing;
  private final List<SealingKey> former;

  private IdentityBundle(SealingKey sealing, SigningKey signing, List<SealingKey> former) {
    this.sealing = sealing;
    this.signing = signing;
    this.former = List.copyOf(former);
  }

  static IdentityBundle generate(SecureRandom random) {
    return new IdentityBundle(Hpke.generate(random), SigningKey.generate(random), List.of());
  }

  /// New keys for the same agent, which still open what was sealed to these.
  IdentityBundle successor(SecureRandom random) {
    return new IdentityBundle(
        Hpke.generate(random),
        SigningKey.generate(random),
        sealingKeys().stream().limit(MAX_FORMER).toList());
  }

  /// What others seal to.
  public SealingKey sealing() {
    return sealing;
  }

  /// All that open what was sealed to this agent, newest first.
  public List<SealingKey> sealingKeys() {
    return Stream.concat(Stream.of(sealing), former.stream()).toList();
  }

  /// Signs READY and receipts.
  public SigningKey signing() {
    return signing;
  }

  byte[] wrap(UnlockKeys keys, long epoch, SecureRandom random) {
    byte[] plain = plain();
    try {
      return Sealed.seal(keys.bundleWrap(), context(keys.dev(), epoch), plain, random);
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  private byte[] plain() {
    byte[] plain = new byte[FORMER_AT + former.size() * SealingKey.SEED_BYTES];
    ByteBuffer buffer = ByteBuffer.wrap(plain).put(former.isEmpty() ? FORMAT : FORMAT_WITH_FORMER);
    put(buffer, sealing.seed());
    put(buffer, signing.seed());
    former.forEach(key -> put(buffer, key.seed()));
    return plain;
  }

  private static void put(ByteBuffer buffer, byte[] seed) {
    buffer.put(seed);
    Arrays.fill(seed, (byte) 0);
  }

  static IdentityBundle unwrap(UnlockKeys keys, long epoch, byte[] inner) throws IdentityException {
    byte[] plain = Sealed.open(keys.bundleWrap(), context(keys.dev(), epoch), inner);
    try {
      if (!isWellFormed(plain)) {
        throw new IdentityException("the identity bundle is of an unknown format");
      }
      int signingAt = 1 + SealingKey.SEED_BYTES;
      var former = new ArrayList<SealingKey>();
      for (int at = FORMER_AT; at < plain.length; at += SealingKey.SEED_BYTES) {
        former.add(SealingKey.ofSeed(Arrays.copyOfRange(plain, at, at + SealingKey.SEED_BYTES)));
      }
      return new IdentityBundle(
          SealingKey.ofSeed(Arrays.copyOfRange(plain, 1, signingAt)),
          SigningKey.ofSeed(Arrays.copyOfRange(plain, signingAt, FORMER_AT)),
          former);
    } catch (SealException _) {
      throw new IdentityException("the identity bundle holds no keys");
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  private static boolean isWellFormed(byte[] plain) {
    int more = plain.length - FORMER_AT;
    if (more < 0) {
      return false;
    }
    return switch (plain[0]) {
      case FORMAT -> more == 0;
      case FORMAT_WITH_FORMER ->
          more > 0
              && more % SealingKey.SEED_BYTES == 0
              && more <= MAX_FORMER * SealingKey.SEED_BYTES;
      default -> false;
    };
  }

  private static byte[] context(StaticKeyPair dev, long epoch) {
    byte[] key = dev.publicKey().bytes();
    return ByteBuffer.allocate(LABEL.length + key.length + Long.BYTES)
        .put(LABEL)
        .put(key)
        .putLong(epoch)
        .array();
  }

  @Override
  public String toString() {
    return "IdentityBundle[secret]";
  }
}
