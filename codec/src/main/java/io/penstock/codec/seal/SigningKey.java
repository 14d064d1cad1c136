package io.penstock.codec.seal;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.util.Arrays;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;

/// An Ed25519 private key, held as its 32-byte seed. Signs raw bytes (BouncyCastle: the JDK takes
/// ten times as long) and, through [SignedDocument], documents. Prints nothing.
public final class SigningKey {
  public static final int SEED_BYTES = 32;

  private final Ed25519PrivateKeyParameters key;

  private SigningKey(Ed25519PrivateKeyParameters key) {
    this.key = key;
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
    return VerifyingKey.of(key.generatePublicKey().getEncoded());
  }

  public byte[] sign(byte[] message) {
    var signer = new Ed25519Signer();
    signer.init(true, key);
    signer.update(message, 0, message.length);
    return signer.generateSignature();
  }

  /// The same key in the JDK's clothes, for JWS libraries.
  public PrivateKey toPrivateKey() {
    byte[] seed = seed();
    try {
      return KeyFactory.getInstance("Ed25519")
          .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK since 15 has Ed25519", e);
    } finally {
      Arrays.fill(seed, (byte) 0);
    }
  }

  @Override
  public String toString() {
    return "SigningKey[secret]";
  }
}
