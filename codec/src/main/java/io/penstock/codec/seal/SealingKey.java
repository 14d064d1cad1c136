package io.penstock.codec.seal;

import org.bouncycastle.crypto.AsymmetricCipherKeyPair;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.hpke.HPKE;
import org.bouncycastle.pqc.crypto.xwing.XWingPrivateKeyParameters;
import org.bouncycastle.pqc.crypto.xwing.XWingPublicKeyParameters;

/// An X-Wing private key, held as its 32-byte seed: opens what was sealed to [#publicKey]. Prints
/// nothing.
public final class SealingKey {
  public static final int SEED_BYTES = 32;

  private final AsymmetricCipherKeyPair pair;
  private final Octets publicKey;

  private SealingKey(AsymmetricCipherKeyPair pair) {
    this.pair = pair;
    this.publicKey = Octets.of(((XWingPublicKeyParameters) pair.getPublic()).getEncoded());
  }

  public static SealingKey ofSeed(byte[] seed) {
    if (seed.length != SEED_BYTES) {
      throw new SealException("an X-Wing seed has 32 bytes, found " + seed.length);
    }
    return new SealingKey(Hpke.suite().deserializePrivateKey(seed.clone(), null));
  }

  /// The secret itself; the caller wipes it.
  public byte[] seed() {
    return ((XWingPrivateKeyParameters) pair.getPrivate()).getSeed();
  }

  public Octets publicKey() {
    return publicKey;
  }

  byte[] open(HPKE suite, byte[] encapsulated, byte[] context, byte[] ciphertext) {
    try {
      return suite.setupBaseR(encapsulated, pair, context).open(new byte[0], ciphertext);
    } catch (InvalidCipherTextException | RuntimeException e) {
      throw new SealException("the seal does not open", e);
    }
  }

  @Override
  public String toString() {
    return "SealingKey[secret]";
  }
}
