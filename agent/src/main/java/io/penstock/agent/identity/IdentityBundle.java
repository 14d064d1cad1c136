package io.penstock.agent.identity;

import io.penstock.codec.noise.StaticKeyPair;
import io.penstock.codec.seal.Hpke;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealingKey;
import io.penstock.codec.seal.SigningKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;

/// The identity keys of an agent, whole only in the memory of a connected process:
/// `format 1 │ sealing seed 32 │ signing seed 32`, wrapped under the unlock secret, is the *inner
/// bundle* that the cloud keeps (design: split custody).
///
/// The wrap's context is the dev key and the unlock epoch. The dev key names the agent here: its
/// name may still be open when the bundle is made.
public final class IdentityBundle {
  private static final byte FORMAT = 1;
  private static final byte[] LABEL =
      "penstock inner bundle v1".getBytes(StandardCharsets.US_ASCII);
  private static final int BYTES = 1 + SealingKey.SEED_BYTES + SigningKey.SEED_BYTES;

  private final SealingKey sealing;
  private final SigningKey signing;

  private IdentityBundle(SealingKey sealing, SigningKey signing) {
    this.sealing = sealing;
    this.signing = signing;
  }

  static IdentityBundle generate(SecureRandom random) {
    return new IdentityBundle(Hpke.generate(random), SigningKey.generate(random));
  }

  /// Opens what was sealed to this agent.
  public SealingKey sealing() {
    return sealing;
  }

  /// Signs READY and receipts.
  public SigningKey signing() {
    return signing;
  }

  byte[] wrap(UnlockKeys keys, long epoch, SecureRandom random) {
    byte[] sealingSeed = sealing.seed();
    byte[] signingSeed = signing.seed();
    byte[] plain = ByteBuffer.allocate(BYTES).put(FORMAT).put(sealingSeed).put(signingSeed).array();
    try {
      return Sealed.seal(keys.bundleWrap(), context(keys.dev(), epoch), plain, random);
    } finally {
      Arrays.fill(plain, (byte) 0);
      Arrays.fill(sealingSeed, (byte) 0);
      Arrays.fill(signingSeed, (byte) 0);
    }
  }

  static IdentityBundle unwrap(UnlockKeys keys, long epoch, byte[] inner) throws IdentityException {
    byte[] plain = Sealed.open(keys.bundleWrap(), context(keys.dev(), epoch), inner);
    try {
      if (plain.length != BYTES || plain[0] != FORMAT) {
        throw new IdentityException("the identity bundle is of an unknown format");
      }
      int signingAt = 1 + SealingKey.SEED_BYTES;
      return new IdentityBundle(
          SealingKey.ofSeed(Arrays.copyOfRange(plain, 1, signingAt)),
          SigningKey.ofSeed(Arrays.copyOfRange(plain, signingAt, BYTES)));
    } catch (SealException _) {
      throw new IdentityException("the identity bundle holds no keys");
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
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
