package io.penstock.codec.seal;

import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.hpke.HPKE;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;

/// HPKE base mode (RFC 9180) with KEM X-Wing 0x647a (MLKEM768-X25519), HKDF-SHA256 and AES-256-GCM.
/// One message per seal:
/// ```
/// +--------+----------------------+---------------------------
/// | format | encapsulated (1120)  | ciphertext and tag …
/// +--------+----------------------+---------------------------
/// ```
/// The format byte leaves room for the next suite.
public final class Hpke {
  public static final int PUBLIC_KEY_BYTES = 1216;
  public static final int ENCAPSULATED_BYTES = 1120;
  public static final int TAG_BYTES = 16;
  static final byte FORMAT_X_WING_AES256 = 1;
  private static final int HEADER_BYTES = 1 + ENCAPSULATED_BYTES;

  private Hpke() {}

  public static byte[] seal(Octets sealingPublic, byte[] context, byte[] plaintext) {
    var hpke = suite();
    var encapsulated = hpke.setupBaseS(publicKey(hpke, sealingPublic), context);
    byte[] ciphertext;
    try {
      ciphertext = encapsulated.seal(new byte[0], plaintext);
    } catch (InvalidCipherTextException e) {
      throw new SealException("cannot seal", e);
    }
    byte[] sealed = new byte[HEADER_BYTES + ciphertext.length];
    sealed[0] = FORMAT_X_WING_AES256;
    System.arraycopy(encapsulated.getEncapsulation(), 0, sealed, 1, ENCAPSULATED_BYTES);
    System.arraycopy(ciphertext, 0, sealed, HEADER_BYTES, ciphertext.length);
    return sealed;
  }

  /// The plaintext, or [SealException] when it was sealed to another key or context, or changed on
  /// the way.
  public static byte[] open(SealingKey key, byte[] context, byte[] sealed) {
    if (sealed.length < HEADER_BYTES + TAG_BYTES) {
      throw new SealException(
          "a seal has at least " + (HEADER_BYTES + TAG_BYTES) + " bytes, found " + sealed.length);
    }
    if (sealed[0] != FORMAT_X_WING_AES256) {
      throw new SealException("a seal of an unknown format");
    }
    byte[] encapsulated = Arrays.copyOfRange(sealed, 1, HEADER_BYTES);
    byte[] ciphertext = Arrays.copyOfRange(sealed, HEADER_BYTES, sealed.length);
    return key.open(suite(), encapsulated, context, ciphertext);
  }

  /// A new sealing key pair; `random` gives its 32-byte seed.
  public static SealingKey generate(SecureRandom random) {
    byte[] seed = new byte[SealingKey.SEED_BYTES];
    random.nextBytes(seed);
    try {
      return SealingKey.ofSeed(seed);
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }

  static HPKE suite() {
    return new HPKE(HPKE.mode_base, HPKE.kem_X_WING, HPKE.kdf_HKDF_SHA256, HPKE.aead_AES_GCM256);
  }

  private static AsymmetricKeyParameter publicKey(HPKE hpke, Octets sealingPublic) {
    sealingPublic.requireLength(PUBLIC_KEY_BYTES, "a sealing key");
    try {
      return hpke.deserializePublicKey(sealingPublic.bytes());
    } catch (RuntimeException e) {
      throw new SealException("not an X-Wing public key", e);
    }
  }
}
