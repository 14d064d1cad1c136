package io.penstock.codec.seal;

import java.security.SecureRandom;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;

/// An Ed25519 private key, held as its 32-byte seed, with its public half. Signs raw bytes
/// (BouncyCastle: the JDK takes ten times as long) and, through [SignedDocument], documents. Prints
/// nothing.
public final class SigningKey {
  public static final int SEED_BYTES = 32;

  private final Ed25519PrivateKeyParameters key;
  private final VerifyingKey verifyingKey;

  private SigningKey(Ed25519PrivateKeyParameters key) {
    this.key = key;
    this.verifyingKey = VerifyingKey.of(key.generatePublicKey().getEncoded());
  }

  public static SigningKey generate(SecureRandom random) {
    return new SigningKey(new Ed25519PrivateKeyParameters(random));
  }

  public static SigningKey ofSeed(byte[] seed) {
    if (seed.length != SEED_BYTES) {
      throw new SealException("an Ed25519 seed has 32 bytes, found " + seed.length);
    }
    return new SigningKey(new Ed25519PrivateKeyParameters(seed, 0));
  }

  /// The secret itself; the caller wipes it.
  public byte[] seed() {
    return key.getEncoded();
  }

  public VerifyingKey verifyingKey() {
    return verifyingKey;
  }

  public byte[] sign(byte[] message) {
    var signer = new Ed25519Signer();
    signer.init(true, key);
    signer.update(message, 0, message.length);
    return signer.generateSignature();
  }

  @Override
  public String toString() {
    return "SigningKey[secret]";
  }
}
