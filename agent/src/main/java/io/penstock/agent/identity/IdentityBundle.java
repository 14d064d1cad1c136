package io.penstock.agent.identity;

import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SigningKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/// The identity keys of an agent, whole only in the memory of a connected process:
///
/// ```
/// +-----------+-----------------+-----------------+-----------------------+------------+
/// | format u8 | sealing seed 32 | signing seed 32 | format 2 and 3:       | format 3:  |
/// | 1 to 3    |                 |                 | former sealing seeds, | origins,   |
/// |           |                 |                 | 32 each, newest       | 32 each    |
/// |           |                 |                 | first, 1 to 3         |            |
/// +-----------+-----------------+-----------------+-----------------------+------------+
/// ```
///
/// Wrapped under the unlock secret it is the *inner bundle* that the cloud keeps (design: split
/// custody). Former sealing keys open what was sealed before the keys were replaced, until it is
/// wrapped anew.
///
/// An *origin* is SHA-256 of the id of the instruction that the keys were made for, of the present
/// and then of each former ones; zeros where there was none or it is not known. So an instruction
/// that comes again, because the process died before it could say that it followed, finds its keys
/// in force.
///
/// The wrap's context is the dev key and the unlock epoch. The dev key names the agent here: its
/// name may still be open when the bundle is made.
public final class IdentityBundle {
  /// Replacing the keys once more drops the oldest.
  static final int MAX_FORMER = 3;

  private static final byte FORMAT = 1;
  private static final byte FORMAT_WITH_FORMER = 2;
  private static final byte FORMAT_WITH_ORIGINS = 3;
  private static final int ORIGIN_BYTES = 32;
  private static final Octets NO_ORIGIN = Octets.of(new byte[ORIGIN_BYTES]);
  private static final byte[] LABEL =
      "penstock inner bundle v1".getBytes(StandardCharsets.US_ASCII);
  private static final int FORMER_AT = 1 + SealingKey.SEED_BYTES + SigningKey.SEED_BYTES;

  private final SealingKey sealing;
  private final SigningKey signing;
  private final List<SealingKey> former;
  private final List<Octets> origins;

  private IdentityBundle(
      SealingKey sealing, SigningKey signing, List<SealingKey> former, List<Octets> origins) {
    this.sealing = sealing;
    this.signing = signing;
    this.former = List.copyOf(former);
    this.origins = List.copyOf(origins);
  }

  static IdentityBundle generate(SecureRandom random) {
    return new IdentityBundle(
        Hpke.generate(random), SigningKey.generate(random), List.of(), List.of(NO_ORIGIN));
  }

  /// New keys for the same agent, which still open what was sealed to these.
  ///
  /// @param instruction id of the one that asked for them
  IdentityBundle successor(String instruction, SecureRandom random) {
    return new IdentityBundle(
        Hpke.generate(random),
        SigningKey.generate(random),
        sealingKeys().stream().limit(MAX_FORMER).toList(),
        Stream.concat(Stream.of(originOf(instruction)), origins.stream())
            .limit(1 + MAX_FORMER)
            .toList());
  }

  /// Whether these keys, or former ones that it still holds, were made for this instruction.
  boolean isMadeFor(String instruction) {
    return origins.contains(originOf(instruction));
  }

  private static Octets originOf(String instruction) {
    return Octets.sha256(instruction.getBytes(StandardCharsets.UTF_8));
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
    boolean withOrigins = !former.isEmpty();
    int length = FORMER_AT + former.size() * SealingKey.SEED_BYTES;
    byte[] plain = new byte[withOrigins ? length + origins.size() * ORIGIN_BYTES : length];
    ByteBuffer buffer = ByteBuffer.wrap(plain).put(withOrigins ? FORMAT_WITH_ORIGINS : FORMAT);
    put(buffer, sealing.seed());
    put(buffer, signing.seed());
    former.forEach(key -> put(buffer, key.seed()));
    if (withOrigins) {
      origins.forEach(origin -> buffer.put(origin.bytes()));
    }
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
      int count = formerIn(plain);
      var former = new ArrayList<SealingKey>();
      for (int i = 0; i < count; i++) {
        int at = FORMER_AT + i * SealingKey.SEED_BYTES;
        former.add(SealingKey.ofSeed(Arrays.copyOfRange(plain, at, at + SealingKey.SEED_BYTES)));
      }
      return new IdentityBundle(
          SealingKey.ofSeed(Arrays.copyOfRange(plain, 1, signingAt)),
          SigningKey.ofSeed(Arrays.copyOfRange(plain, signingAt, FORMER_AT)),
          former,
          origins(plain, count));
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
      case FORMAT_WITH_ORIGINS -> {
        int former = formerIn(plain);
        yield former >= 1
            && former <= MAX_FORMER
            && more == former * SealingKey.SEED_BYTES + (1 + former) * ORIGIN_BYTES;
      }
      default -> false;
    };
  }

  private static int formerIn(byte[] plain) {
    int more = plain.length - FORMER_AT;
    return plain[0] == FORMAT_WITH_ORIGINS
        ? (more - ORIGIN_BYTES) / (SealingKey.SEED_BYTES + ORIGIN_BYTES)
        : more / SealingKey.SEED_BYTES;
  }

  /// One for the present keys, and one for each former.
  private static List<Octets> origins(byte[] plain, int former) {
    if (plain[0] != FORMAT_WITH_ORIGINS) {
      return Collections.nCopies(1 + former, NO_ORIGIN);
    }
    var origins = new ArrayList<Octets>();
    int from = FORMER_AT + former * SealingKey.SEED_BYTES;
    for (int at = from; at < plain.length; at += ORIGIN_BYTES) {
      origins.add(Octets.of(Arrays.copyOfRange(plain, at, at + ORIGIN_BYTES)));
    }
    return origins;
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
