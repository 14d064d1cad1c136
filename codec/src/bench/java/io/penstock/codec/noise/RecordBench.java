package io.penstock.codec.noise;

import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// A record's AEAD. What can be opened once only, as its nonce is a counter, is opened here below
/// the counter, by [AesGcm], which does all of the work; [#sealAndOpen] has the counters of both
/// ends.
@State(Scope.Thread)
public class RecordBench {
  @Param({"64", "1024", "16384"})
  int plaintextBytes;

  private final byte[] key = new byte[AesGcm.KEY_BYTES];
  private final byte[] iv = new byte[AesGcm.IV_BYTES];
  private final byte[] noAd = {};
  private final CipherState sender = new CipherState(key);
  private final CipherState otherSender = new CipherState(key);
  private final CipherState receiver = new CipherState(key);
  private final AesGcm opener = new AesGcm(key);

  private byte[] plaintext = {};
  private byte[] record = {};
  private byte[] sealed = {};
  private byte[] opened = {};

  @Setup
  public void fill() {
    plaintext = new byte[plaintextBytes];
    Arrays.fill(plaintext, (byte) 0x5a);
    record = new byte[plaintextBytes + CipherState.TAG_BYTES];
    opened = new byte[plaintextBytes];
    sealed = record.clone();
    new AesGcm(key).seal(iv, noAd, plaintext, 0, plaintextBytes, sealed, 0);
  }

  @Benchmark
  public int seal() {
    return sender.seal(plaintext, 0, plaintextBytes, record, 0);
  }

  @Benchmark
  public int open() throws AEADBadTagException {
    return opener.open(iv, noAd, sealed, 0, sealed.length, opened, 0);
  }

  @Benchmark
  public int sealAndOpen() throws RecordException {
    int length = otherSender.seal(plaintext, 0, plaintextBytes, record, 0);
    return receiver.open(record, 0, length, opened, 0);
  }
}
