package io.penstock.agent.identity;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/// AES-256-GCM with a random nonce in front: `nonce 12 │ ciphertext │ tag 16`.
///
/// Each key here seals at most some thousand times, far from where random nonces become a risk.
final class Sealed {
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private Sealed() {}

  static byte[] seal(SecretKey key, byte[] context, byte[] plaintext, SecureRandom random) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    try {
      Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, nonce, context);
      byte[] sealed = Arrays.copyOf(nonce, NONCE_BYTES + cipher.getOutputSize(plaintext.length));
      cipher.doFinal(plaintext, 0, plaintext.length, sealed, NONCE_BYTES);
      return sealed;
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK seals with AES-GCM", impossible);
    }
  }

  static byte[] open(SecretKey key, byte[] context, byte[] sealed) throws IdentityException {
    if (sealed.length < NONCE_BYTES + TAG_BITS / 8) {
      throw new IdentityException("a sealed part is cut short");
    }
    try {
      Cipher cipher = cipher(Cipher.DECRYPT_MODE, key, Arrays.copyOf(sealed, NONCE_BYTES), context);
      return cipher.doFinal(sealed, NONCE_BYTES, sealed.length - NONCE_BYTES);
    } catch (GeneralSecurityException _) {
      throw new IdentityException("a sealed part does not open");
    }
  }

  private static Cipher cipher(int mode, SecretKey key, byte[] nonce, byte[] context)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(context);
    return cipher;
  }
}
