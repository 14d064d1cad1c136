package io.penstock.codec.noise;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import javax.crypto.AEADBadTagException;
import org.jspecify.annotations.Nullable;

/// A CipherState (Noise section 5.1) with AESGCM (section 12.4): a key and a counter that is the
/// nonce and never on the wire. One direction of a session has one; its owner's thread is the only
/// one that touches it.
///
/// A record that does not open takes the key with it: every later call is refused. The arrays of
/// the JDK's own key schedule cannot be overwritten from here and are left to the garbage
/// collector.
public final class CipherState {
  public static final int TAG_BYTES = AesGcm.TAG_BYTES;

  /// Noise section 3: no message is longer, tag included.
  public static final int MAX_RECORD_BYTES = 65_535;

  public static final int MAX_PLAINTEXT_BYTES = MAX_RECORD_BYTES - TAG_BYTES;

  /// 2^64-1, unsigned: reserved for rekey (sections 4.2 and 5.1), never a record's.
  private static final long LAST_NONCE = -1L;

  private static final byte[] NO_AD = {};

  /// 4 zero bytes, then the counter, big endian (section 12.4).
  private final byte[] iv = new byte[AesGcm.IV_BYTES];

  private @Nullable AesGcm cipher;
  private long n;

  /// InitializeKey.
  CipherState(byte[] key) {
    this(key, 0);
  }

  CipherState(byte[] key, long n) {
    this.cipher = new AesGcm(key);
    this.n = n;
  }

  /// Seals one record with empty associated data into `out`, which needs room for `len + 16`;
  /// returns that number. Use another array than the plaintext's: the JDK copies first when they
  /// overlap.
  ///
  /// @throws IllegalStateException when the nonces are spent or the key is gone
  public int seal(byte[] plaintext, int off, int len, byte[] out, int outOff) {
    return sealWithAd(NO_AD, plaintext, off, len, out, outOff);
  }

  /// Opens one record with empty associated data into `out`, which needs room for `len - 16`;
  /// returns that number. After a failure `out` holds nothing of it and the key is gone.
  public int open(byte[] ciphertext, int off, int len, byte[] out, int outOff)
      throws RecordException {
    return openWithAd(NO_AD, ciphertext, off, len, out, outOff);
  }

  /// EncryptWithAd.
  int sealWithAd(byte[] ad, byte[] plaintext, int off, int len, byte[] out, int outOff) {
    Objects.checkFromIndexSize(off, len, plaintext.length);
    if (len > MAX_PLAINTEXT_BYTES) {
      throw new IllegalArgumentException("record: at most 65519 bytes, found " + len);
    }
    Objects.checkFromIndexSize(outOff, len + TAG_BYTES, out.length);
    if (cipher == null) {
      throw new IllegalStateException("the key is gone");
    }
    if (n == LAST_NONCE) {
      throw new IllegalStateException("the nonces of this key are spent");
    }
    int written = cipher.seal(iv(n), ad, plaintext, off, len, out, outOff);
    n++;
    return written;
  }

  /// DecryptWithAd.
  int openWithAd(byte[] ad, byte[] ciphertext, int off, int len, byte[] out, int outOff)
      throws RecordException {
    Objects.checkFromIndexSize(off, len, ciphertext.length);
    if (cipher == null) {
      throw new RecordException("the key is gone");
    }
    if (n == LAST_NONCE) {
      throw failed("the nonces of this key are spent");
    }
    if (len < TAG_BYTES || len > MAX_RECORD_BYTES) {
      throw failed("a record has 16 to 65535 bytes");
    }
    Objects.checkFromIndexSize(outOff, len - TAG_BYTES, out.length);
    try {
      int written = cipher.open(iv(n), ad, ciphertext, off, len, out, outOff);
      n++;
      return written;
    } catch (AEADBadTagException _) {
      Arrays.fill(out, outOff, outOff + len - TAG_BYTES, (byte) 0);
      throw failed("the record does not open");
    }
  }

  /// REKEY (sections 4.2 and 11.3): the key becomes the first 32 bytes of zeros sealed under the
  /// last nonce; the counter goes on.
  public void rekey() {
    if (cipher == null) {
      throw new IllegalStateException("the key is gone");
    }
    byte[] sealed = new byte[AesGcm.KEY_BYTES + TAG_BYTES];
    byte[] zeros = new byte[AesGcm.KEY_BYTES];
    cipher.seal(iv(LAST_NONCE), NO_AD, zeros, 0, zeros.length, sealed, 0);
    byte[] key = Arrays.copyOf(sealed, AesGcm.KEY_BYTES);
    cipher = new AesGcm(key);
    Arrays.fill(sealed, (byte) 0);
    Arrays.fill(key, (byte) 0);
  }

  /// How many records went through so far; unsigned. A rekey does not reset it.
  public long nonce() {
    return n;
  }

  void forget() {
    cipher = null;
  }

  private RecordException failed(String why) {
    forget();
    return new RecordException(why);
  }

  private byte[] iv(long nonce) {
    ByteBuffer.wrap(iv).putLong(AesGcm.IV_BYTES - Long.BYTES, nonce);
    return iv;
  }
}
