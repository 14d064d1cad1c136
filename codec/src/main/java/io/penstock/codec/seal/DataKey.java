package io.penstock.codec.seal;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The random AES-256 key (DEK) of one [SealedSecrets]. Lives as long as a `try`; prints nothing.
///
/// AES-GCM does not commit to its key: somebody who chooses two keys can make one ciphertext that
/// opens under both. The [#commitment] names the one key before it is used.
final class DataKey implements AutoCloseable {
  static final int BYTES = 32;
  static final int NONCE_BYTES = 12;
  static final int TAG_BYTES = 16;
  static final int COMMITMENT_BYTES = 32;
  private static final byte[] COMMITMENT_LABEL =
      "penstock dek commitment v1".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

  private final byte[] bytes;

  private DataKey(byte[] bytes) {
    this.bytes = bytes;
  }

  static DataKey generate(SecureRandom random) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    return new DataKey(bytes);
  }

  /// Takes the array over: it is wiped with this key.
  static DataKey owning(byte[] bytes) {
    if (bytes.length != BYTES) {
      Arrays.fill(bytes, (byte) 0);
      throw new SealException("a DEK has 32 bytes, found " + bytes.length);
    }
    return new DataKey(bytes);
  }

  /// HKDF-SHA256 (RFC 5869), no salt: collision-resistant in the key, and says nothing about it.
  Octets commitment() {
    try {
      return Octets.of(
          KDF.getInstance("HKDF-SHA256")
              .deriveData(
                  HKDFParameterSpec.ofExtract()
                      .addIKM(bytes)
                      .thenExpand(COMMITMENT_LABEL, COMMITMENT_BYTES)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK since 25 has HKDF-SHA256", e);
    }
  }

  byte[] encrypt(byte[] nonce, byte[] context, byte[] plaintext) {
    try {
      byte[] ciphertext = cipher(Cipher.ENCRYPT_MODE, nonce, context).doFinal(plaintext);
      byte[] result = Arrays.copyOf(nonce, NONCE_BYTES + ciphertext.length);
      System.arraycopy(ciphertext, 0, result, NONCE_BYTES, ciphertext.length);
      return result;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has AES-256-GCM", e);
    }
  }

  /// Empty when key, context or a byte is another.
  Optional<byte[]> decrypt(byte[] context, byte[] nonceAndCiphertext) {
    byte[] nonce = Arrays.copyOf(nonceAndCiphertext, NONCE_BYTES);
    try {
      return Optional.of(
          cipher(Cipher.DECRYPT_MODE, nonce, context)
              .doFinal(nonceAndCiphertext, NONCE_BYTES, nonceAndCiphertext.length - NONCE_BYTES));
    } catch (AEADBadTagException _) {
      return Optional.empty();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has AES-256-GCM", e);
    }
  }

  private Cipher cipher(int mode, byte[] nonce, byte[] context) throws GeneralSecurityException {
    Cipher aes = Cipher.getInstance("AES/GCM/NoPadding");
    aes.init(mode, new SecretKeySpec(bytes, "AES"), new GCMParameterSpec(8 * TAG_BYTES, nonce));
    aes.updateAAD(context);
    return aes;
  }

  byte[] wrapTo(Octets sealingPublic, byte[] context) {
    return Hpke.seal(sealingPublic, context, bytes);
  }

  @Override
  public void close() {
    Arrays.fill(bytes, (byte) 0);
  }

  @Override
  public String toString() {
    return "DataKey[secret]";
  }
}
