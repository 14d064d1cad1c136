package io.penstock.agent.identity;

import io.penstock.codec.noise.StaticKeyPair;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;

/// What follows from one unlock secret at one unlock epoch: HKDF-SHA256 with a label per purpose
/// and the epoch as context (design: keys).
final class UnlockKeys {
  private static final byte[] SALT = ascii("penstock agent v1");
  private static final int KEY_BYTES = 32;

  private final StaticKeyPair dev;
  private final SecretKey bundleWrap;
  private final SecretKey localWrap;

  private UnlockKeys(StaticKeyPair dev, SecretKey bundleWrap, SecretKey localWrap) {
    this.dev = dev;
    this.bundleWrap = bundleWrap;
    this.localWrap = localWrap;
  }

  static UnlockKeys derive(UnlockSecret secret, long epoch) {
    byte[] u = secret.bytes();
    try {
      byte[] dev = bytes(u, "dev key", epoch);
      StaticKeyPair pair = StaticKeyPair.fromPrivate(dev);
      Arrays.fill(dev, (byte) 0);
      return new UnlockKeys(pair, key(u, "bundle wrap", epoch), key(u, "local wrap", epoch));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK since 25 has HKDF-SHA256", impossible);
    } finally {
      Arrays.fill(u, (byte) 0);
    }
  }

  /// Noise static key: proves possession of the unlock secret.
  StaticKeyPair dev() {
    return dev;
  }

  /// Wraps the identity bundle before the cloud keeps it.
  SecretKey bundleWrap() {
    return bundleWrap;
  }

  /// Wraps what stays on this disk.
  SecretKey localWrap() {
    return localWrap;
  }

  private static byte[] bytes(byte[] u, String label, long epoch) throws GeneralSecurityException {
    return KDF.getInstance("HKDF-SHA256").deriveData(parameters(u, label, epoch));
  }

  private static SecretKey key(byte[] u, String label, long epoch) throws GeneralSecurityException {
    return KDF.getInstance("HKDF-SHA256").deriveKey("AES", parameters(u, label, epoch));
  }

  private static HKDFParameterSpec parameters(byte[] u, String label, long epoch) {
    byte[] text = ascii("penstock " + label + " v1");
    byte[] info = ByteBuffer.allocate(text.length + Long.BYTES).put(text).putLong(epoch).array();
    return HKDFParameterSpec.ofExtract().addIKM(u).addSalt(SALT).thenExpand(info, KEY_BYTES);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public String toString() {
    return "UnlockKeys[secret]";
  }
}
