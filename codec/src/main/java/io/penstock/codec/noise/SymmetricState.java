package io.penstock.codec.noise;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// A SymmetricState (Noise section 5.2) with SHA256: the chaining key `ck`, the handshake hash `h`
/// and, once a key was mixed in, the cipher of the handshake. Names and order are the
/// specification's.
final class SymmetricState {
  private static final int HASHLEN = 32;
  private static final byte[] ZEROLEN = {};

  private final MessageDigest sha256;
  private final Mac hmac;
  private final byte[] ck;
  private byte[] h;
  private @Nullable CipherState cipher;

  /// InitializeSymmetric: h is the name, padded with zeros, or its hash if it is too long; ck = h.
  SymmetricState(String protocolName) {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
      hmac = Mac.getInstance("HmacSHA256");
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("SHA-256 is part of the JDK", missing);
    }
    byte[] name = protocolName.getBytes(StandardCharsets.US_ASCII);
    h = name.length <= HASHLEN ? Arrays.copyOf(name, HASHLEN) : sha256.digest(name);
    ck = h.clone();
  }

  /// MixKey.
  void mixKey(byte[] inputKeyMaterial) {
    byte[][] outputs = hkdf(inputKeyMaterial, 2);
    setChainingKey(outputs[0]);
    setCipher(outputs[1]);
  }

  /// MixHash.
  void mixHash(byte[] data) {
    sha256.update(h);
    h = sha256.digest(data);
  }

  /// MixKeyAndHash.
  void mixKeyAndHash(byte[] inputKeyMaterial) {
    byte[][] outputs = hkdf(inputKeyMaterial, 3);
    setChainingKey(outputs[0]);
    mixHash(outputs[1]);
    wipe(outputs[1]);
    setCipher(outputs[2]);
  }

  /// EncryptAndHash: in the clear as long as there is no key.
  byte[] encryptAndHash(byte[] plaintext) {
    byte[] ciphertext = plaintext.clone();
    if (cipher != null) {
      ciphertext = new byte[plaintext.length + CipherState.TAG_BYTES];
      cipher.sealWithAd(h, plaintext, 0, plaintext.length, ciphertext, 0);
    }
    mixHash(ciphertext);
    return ciphertext;
  }

  /// DecryptAndHash.
  byte[] decryptAndHash(byte[] ciphertext) throws HandshakeException {
    byte[] plaintext = ciphertext.clone();
    if (cipher != null) {
      plaintext = open(cipher, ciphertext);
    }
    mixHash(ciphertext);
    return plaintext;
  }

  private byte[] open(CipherState cipher, byte[] ciphertext) throws HandshakeException {
    byte[] plaintext = new byte[Math.max(0, ciphertext.length - CipherState.TAG_BYTES)];
    try {
      cipher.openWithAd(h, ciphertext, 0, ciphertext.length, plaintext, 0);
    } catch (RecordException _) {
      throw new HandshakeException("the message does not open");
    }
    return plaintext;
  }

  /// What EncryptAndHash adds at this point.
  int tagBytes() {
    return cipher == null ? 0 : CipherState.TAG_BYTES;
  }

  /// GetHandshakeHash, and h before the end.
  byte[] hash() {
    return h.clone();
  }

  /// Split: the initiator's sending cipher, then the responder's.
  CipherState[] split() {
    byte[][] outputs = hkdf(ZEROLEN, 2);
    CipherState[] pair = {new CipherState(outputs[0]), new CipherState(outputs[1])};
    wipe(outputs[0]);
    wipe(outputs[1]);
    return pair;
  }

  void wipe() {
    wipe(ck);
    if (cipher != null) {
      cipher.forget();
    }
  }

  private void setChainingKey(byte[] fresh) {
    System.arraycopy(fresh, 0, ck, 0, HASHLEN);
    wipe(fresh);
  }

  private void setCipher(byte[] key) {
    cipher = new CipherState(key);
    wipe(key);
  }

  /// HKDF (section 4.3) from ck.
  private byte[][] hkdf(byte[] inputKeyMaterial, int count) {
    byte[] temp = hmac(ck, inputKeyMaterial);
    byte[][] outputs = new byte[count][];
    byte[] previous = ZEROLEN;
    for (int i = 0; i < count; i++) {
      byte[] data = Arrays.copyOf(previous, previous.length + 1);
      data[previous.length] = (byte) (i + 1);
      outputs[i] = hmac(temp, data);
      wipe(data);
      previous = outputs[i];
    }
    wipe(temp);
    return outputs;
  }

  private byte[] hmac(byte[] key, byte[] data) {
    try {
      hmac.init(new SecretKeySpec(key, "HmacSHA256"));
    } catch (GeneralSecurityException bug) {
      throw new IllegalStateException("HMAC refused a key of 32 bytes", bug);
    }
    return hmac.doFinal(data);
  }

  private static void wipe(byte[] secret) {
    Arrays.fill(secret, (byte) 0);
  }
}
