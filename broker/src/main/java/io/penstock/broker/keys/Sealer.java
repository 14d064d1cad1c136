package io.penstock.broker.keys;

import io.penstock.codec.seal.SealException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/// AES-256-GCM with a random nonce and a context as additional data: `version 1 ‖ nonce 12 ‖
/// ciphertext and tag`.
final class Sealer {
  private static final byte VERSION = 1;
  private static final int NONCE_BYTES = 12;
  private static final int HEADER_BYTES = 1 + NONCE_BYTES;
  private static final int TAG_BITS = 128;

  private final SecretKey key;
  private final SecureRandom random;

  Sealer(SecretKey key, SecureRandom random) {
    this.key = key;
    this.random = random;
  }

  byte[] seal(String context, byte[] plaintext) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] ciphertext;
    try {
      ciphertext = cipher(Cipher.ENCRYPT_MODE, nonce, context).doFinal(plaintext);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-256-GCM does not seal", e);
    }
    byte[] sealed = new byte[HEADER_BYTES + ciphertext.length];
    sealed[0] = VERSION;
    System.arraycopy(nonce, 0, sealed, 1, NONCE_BYTES);
    System.arraycopy(ciphertext, 0, sealed, HEADER_BYTES, ciphertext.length);
    return sealed;
  }

  byte[] open(String context, byte[] sealed) {
    if (sealed.length < HEADER_BYTES + TAG_BITS / 8 || sealed[0] != VERSION) {
      throw new SealException("a sealed value of another format");
    }
    byte[] nonce = Arrays.copyOfRange(sealed, 1, HEADER_BYTES);
    try {
      return cipher(Cipher.DECRYPT_MODE, nonce, context)
          .doFinal(sealed, HEADER_BYTES, sealed.length - HEADER_BYTES);
    } catch (GeneralSecurityException e) {
      throw new SealException(
          "a sealed value does not open: another key, another context, or changed", e);
    }
  }

  private Cipher cipher(int mode, byte[] nonce, String context) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(context.getBytes(StandardCharsets.UTF_8));
    return cipher;
  }
}
