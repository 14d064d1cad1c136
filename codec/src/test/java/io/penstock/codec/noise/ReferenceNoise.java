package io.penstock.codec.noise;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.kems.MLKEMExtractor;
import org.bouncycastle.crypto.kems.MLKEMGenerator;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.HKDFParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.MLKEMParameters;
import org.bouncycastle.crypto.params.MLKEMPrivateKeyParameters;
import org.bouncycastle.crypto.params.MLKEMPublicKeyParameters;

/// A second implementation of the four suites, to be compared with the first. It shares no code and
/// no idea with it: the three messages of XX are written out by hand instead of interpreted, X25519
/// is the ladder of RFC 7748 on [BigInteger], the rest is BouncyCastle's own AES-GCM, SHA-256, HKDF
/// and ML-KEM. Slow, and safe for nothing but tests.
final class ReferenceNoise {
  private static final BigInteger P = BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19));
  private static final BigInteger A24 = BigInteger.valueOf(121665);
  private static final byte[] NOTHING = {};

  private final boolean initiator;
  private final boolean hybrid;
  private final boolean withPsk;
  private final byte[] psk;
  private final byte[] staticPrivate;
  private final byte[] ephemeralPrivate;
  private final byte[] kemRandomness;

  private byte[] h;
  private byte[] ck;
  private byte[] k = NOTHING;
  private long n;
  private byte[] remoteEphemeral = NOTHING;
  private byte[] remoteStatic = NOTHING;
  private byte[] remoteKem = NOTHING;
  private byte[] sendKey = NOTHING;
  private byte[] receiveKey = NOTHING;
  private long sent;
  private long received;

  /// @param psk 32 bytes, or none for the suites without
  /// @param kemRandomness 64 bytes for an initiator, 32 for a responder, of the hybrid suites
  ReferenceNoise(
      boolean initiator,
      boolean hybrid,
      byte[] psk,
      byte[] prologue,
      byte[] staticPrivate,
      byte[] ephemeralPrivate,
      byte[] kemRandomness) {
    this.initiator = initiator;
    this.hybrid = hybrid;
    this.withPsk = psk.length > 0;
    this.psk = psk;
    this.staticPrivate = staticPrivate;
    this.ephemeralPrivate = ephemeralPrivate;
    this.kemRandomness = kemRandomness;
    byte[] name = protocolName().getBytes(StandardCharsets.US_ASCII);
    h = name.length > 32 ? sha256(name) : ByteBuffer.allocate(32).put(name).array();
    ck = h;
    h = sha256(h, prologue);
  }

  private String protocolName() {
    if (hybrid) {
      return withPsk
          ? "Noise_XXhfs+psk3_25519+MLKEM768_AESGCM_SHA256"
          : "Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256";
    }
    return withPsk ? "Noise_XXpsk3_25519_AESGCM_SHA256" : "Noise_XX_25519_AESGCM_SHA256";
  }

  /// The message or record of that number, counted from 0.
  byte[] write(int number, byte[] payload) {
    return switch (number) {
      case 0 -> writeFirst(payload);
      case 1 -> writeSecond(payload);
      case 2 -> writeThird(payload);
      default -> sealRecord(payload);
    };
  }

  byte[] read(int number, byte[] message) {
    return switch (number) {
      case 0 -> readFirst(message);
      case 1 -> readSecond(message);
      case 2 -> readThird(message);
      default -> openRecord(message);
    };
  }

  byte[] writeFirst(byte[] payload) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(announceEphemeral());
    if (hybrid) {
      var pair = new MLKEMPrivateKeyParameters(MLKEMParameters.ml_kem_768, kemRandomness);
      out.writeBytes(encrypt(pair.getPublicKey()));
    }
    out.writeBytes(encrypt(payload));
    return out.toByteArray();
  }

  byte[] readFirst(byte[] message) {
    var in = ByteBuffer.wrap(message);
    acceptEphemeral(cut(in, 32));
    if (hybrid) {
      remoteKem = decrypt(cut(in, 1184 + (withPsk ? 16 : 0)));
    }
    return decrypt(cut(in, in.remaining()));
  }

  byte[] writeSecond(byte[] payload) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(announceEphemeral());
    mixKey(x25519(ephemeralPrivate, remoteEphemeral));
    if (hybrid) {
      var key = new MLKEMPublicKeyParameters(MLKEMParameters.ml_kem_768, remoteKem);
      var sealed = MLKEMGenerator.internalGenerateEncapsulated(key, kemRandomness);
      out.writeBytes(encrypt(sealed.getEncapsulation()));
      mixKey(sealed.getSecret());
    }
    out.writeBytes(encrypt(publicKey(staticPrivate)));
    mixKey(x25519(staticPrivate, remoteEphemeral));
    out.writeBytes(encrypt(payload));
    return out.toByteArray();
  }

  byte[] readSecond(byte[] message) {
    var in = ByteBuffer.wrap(message);
    acceptEphemeral(cut(in, 32));
    mixKey(x25519(ephemeralPrivate, remoteEphemeral));
    if (hybrid) {
      var pair = new MLKEMPrivateKeyParameters(MLKEMParameters.ml_kem_768, kemRandomness);
      mixKey(new MLKEMExtractor(pair).extractSecret(decrypt(cut(in, 1088 + 16))));
    }
    remoteStatic = decrypt(cut(in, 32 + 16));
    mixKey(x25519(ephemeralPrivate, remoteStatic));
    return decrypt(cut(in, in.remaining()));
  }

  byte[] writeThird(byte[] payload) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(encrypt(publicKey(staticPrivate)));
    mixKey(x25519(staticPrivate, remoteEphemeral));
    mixPsk();
    out.writeBytes(encrypt(payload));
    finish();
    return out.toByteArray();
  }

  byte[] readThird(byte[] message) {
    var in = ByteBuffer.wrap(message);
    remoteStatic = decrypt(cut(in, 32 + 16));
    mixKey(x25519(ephemeralPrivate, remoteStatic));
    mixPsk();
    byte[] payload = decrypt(cut(in, in.remaining()));
    finish();
    return payload;
  }

  byte[] hash() {
    return h;
  }

  byte[] remoteStatic() {
    return remoteStatic;
  }

  byte[] sealRecord(byte[] plaintext) {
    return gcm(true, sendKey, sent++, NOTHING, plaintext);
  }

  byte[] openRecord(byte[] record) {
    return gcm(false, receiveKey, received++, NOTHING, record);
  }

  void rekey() {
    sendKey = cut(ByteBuffer.wrap(gcm(true, sendKey, -1L, NOTHING, new byte[32])), 32);
    receiveKey = cut(ByteBuffer.wrap(gcm(true, receiveKey, -1L, NOTHING, new byte[32])), 32);
  }

  private void finish() {
    ByteBuffer keys = ByteBuffer.wrap(derive(NOTHING, 64));
    byte[] first = cut(keys, 32);
    byte[] second = cut(keys, 32);
    sendKey = initiator ? first : second;
    receiveKey = initiator ? second : first;
  }

  private byte[] announceEphemeral() {
    byte[] mine = publicKey(ephemeralPrivate);
    absorbEphemeral(mine);
    return mine;
  }

  private void acceptEphemeral(byte[] theirs) {
    remoteEphemeral = theirs;
    absorbEphemeral(theirs);
  }

  private void absorbEphemeral(byte[] key) {
    h = sha256(h, key);
    if (withPsk) {
      mixKey(key);
    }
  }

  private void mixKey(byte[] input) {
    ByteBuffer derived = ByteBuffer.wrap(derive(input, 64));
    ck = cut(derived, 32);
    k = cut(derived, 32);
    n = 0;
  }

  private void mixPsk() {
    if (!withPsk) {
      return;
    }
    ByteBuffer derived = ByteBuffer.wrap(derive(psk, 96));
    ck = cut(derived, 32);
    h = sha256(h, cut(derived, 32));
    k = cut(derived, 32);
    n = 0;
  }

  private byte[] encrypt(byte[] plaintext) {
    byte[] out = k.length == 0 ? plaintext : gcm(true, k, n++, h, plaintext);
    h = sha256(h, out);
    return out;
  }

  private byte[] decrypt(byte[] ciphertext) {
    byte[] out = k.length == 0 ? ciphertext : gcm(false, k, n++, h, ciphertext);
    h = sha256(h, ciphertext);
    return out;
  }

  /// RFC 5869 with the chaining key as salt and no info, which is what Noise's HKDF comes to.
  private byte[] derive(byte[] input, int length) {
    var hkdf = new HKDFBytesGenerator(new SHA256Digest());
    hkdf.init(new HKDFParameters(input, ck, NOTHING));
    byte[] out = new byte[length];
    hkdf.generateBytes(out, 0, length);
    return out;
  }

  private static byte[] gcm(boolean seal, byte[] key, long nonce, byte[] ad, byte[] in) {
    byte[] iv = ByteBuffer.allocate(12).putInt(0).putLong(nonce).array();
    var gcm = GCMBlockCipher.newInstance(AESEngine.newInstance());
    gcm.init(seal, new AEADParameters(new KeyParameter(key), 128, iv, ad));
    byte[] out = new byte[gcm.getOutputSize(in.length)];
    try {
      int written = gcm.processBytes(in, 0, in.length, out, 0);
      gcm.doFinal(out, written);
    } catch (InvalidCipherTextException forged) {
      throw new IllegalArgumentException("does not open", forged);
    }
    return out;
  }

  private static byte[] sha256(byte[]... parts) {
    var digest = new SHA256Digest();
    for (byte[] part : parts) {
      digest.update(part, 0, part.length);
    }
    byte[] out = new byte[32];
    digest.doFinal(out, 0);
    return out;
  }

  private static byte[] cut(ByteBuffer in, int length) {
    byte[] out = new byte[length];
    in.get(out);
    return out;
  }

  static byte[] publicKey(byte[] scalar) {
    byte[] nine = new byte[32];
    nine[0] = 9;
    return x25519(scalar, nine);
  }

  /// RFC 7748 section 5, line by line.
  static byte[] x25519(byte[] scalar, byte[] point) {
    BigInteger bits =
        littleEndian(scalar).clearBit(0).clearBit(1).clearBit(2).clearBit(255).setBit(254);
    BigInteger x1 = littleEndian(point).clearBit(255).mod(P);
    BigInteger x2 = BigInteger.ONE;
    BigInteger z2 = BigInteger.ZERO;
    BigInteger x3 = x1;
    BigInteger z3 = BigInteger.ONE;
    for (int t = 254; t >= 0; t--) {
      boolean swap = bits.testBit(t);
      BigInteger ux = swap ? x3 : x2;
      BigInteger uz = swap ? z3 : z2;
      BigInteger vx = swap ? x2 : x3;
      BigInteger vz = swap ? z2 : z3;
      BigInteger a = ux.add(uz);
      BigInteger b = ux.subtract(uz);
      BigInteger aa = a.multiply(a).mod(P);
      BigInteger bb = b.multiply(b).mod(P);
      BigInteger e = aa.subtract(bb);
      BigInteger da = vx.subtract(vz).multiply(a).mod(P);
      BigInteger cb = vx.add(vz).multiply(b).mod(P);
      BigInteger sumX = da.add(cb).pow(2).mod(P);
      BigInteger sumZ = x1.multiply(da.subtract(cb).pow(2)).mod(P);
      BigInteger twiceX = aa.multiply(bb).mod(P);
      BigInteger twiceZ = e.multiply(aa.add(A24.multiply(e))).mod(P);
      x2 = swap ? sumX : twiceX;
      z2 = swap ? sumZ : twiceZ;
      x3 = swap ? twiceX : sumX;
      z3 = swap ? twiceZ : sumZ;
    }
    return littleEndian(x2.multiply(z2.modPow(P.subtract(BigInteger.TWO), P)).mod(P));
  }

  private static BigInteger littleEndian(byte[] bytes) {
    return new BigInteger(1, reversed(bytes));
  }

  private static byte[] littleEndian(BigInteger number) {
    byte[] big = number.toByteArray();
    byte[] padded = new byte[32];
    int length = Math.min(32, big.length);
    System.arraycopy(big, big.length - length, padded, 32 - length, length);
    return reversed(padded);
  }

  private static byte[] reversed(byte[] bytes) {
    byte[] out = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      out[i] = bytes[bytes.length - 1 - i];
    }
    return out;
  }
}
