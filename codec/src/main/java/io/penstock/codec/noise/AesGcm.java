package io.penstock.codec.noise;

import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// AES-256-GCM under one key, on heap arrays, with one reused [Cipher]: the JDK is two to three
/// times slower on direct buffers. Not for two threads at once. Who calls it never repeats an iv
/// and has checked the room in `out`.
final class AesGcm {
  static final int KEY_BYTES = 32;
  static final int IV_BYTES = 12;
  static final int TAG_BYTES = 16;

  private final Cipher cipher;
  private final SecretKeySpec key;

  AesGcm(byte[] key) {
    if (key.length != KEY_BYTES) {
      throw new IllegalArgumentException("AES-256 key: expected 32 bytes, found " + key.length);
    }
    this.key = new SecretKeySpec(key, "AES");
    try {
      this.cipher = Cipher.getInstance("AES/GCM/NoPadding");
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("AES/GCM/NoPadding is part of the JDK", missing);
    }
  }

  /// Writes ciphertext and tag; returns `len + 16`.
  int seal(byte[] iv, byte[] ad, byte[] in, int off, int len, byte[] out, int outOff) {
    try {
      return run(Cipher.ENCRYPT_MODE, iv, ad, in, off, len, out, outOff);
    } catch (GeneralSecurityException bug) {
      throw new IllegalStateException("AES-GCM refused to seal", bug);
    }
  }

  /// Writes the plaintext; returns `len - 16`.
  int open(byte[] iv, byte[] ad, byte[] in, int off, int len, byte[] out, int outOff)
      throws AEADBadTagException {
    try {
      return run(Cipher.DECRYPT_MODE, iv, ad, in, off, len, out, outOff);
    } catch (AEADBadTagException forged) {
      throw forged;
    } catch (GeneralSecurityException bug) {
      throw new IllegalStateException("AES-GCM refused to open", bug);
    }
  }

  private int run(
      int mode, byte[] iv, byte[] ad, byte[] in, int off, int len, byte[] out, int outOff)
      throws GeneralSecurityException {
    cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, iv));
    if (ad.length > 0) {
      cipher.updateAAD(ad);
    }
    return cipher.doFinal(in, off, len, out, outOff);
  }
}
