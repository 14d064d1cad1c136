package io.penstock.codec.seal;

import java.security.SecureRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Sealing to an agent's X-Wing key, and opening there.
@State(Scope.Thread)
public class HpkeBench {
  /// 32: a data key, or the challenge of every connection.
  @Param({"32", "4096"})
  int plaintextBytes;

  private final SealingKey key = Hpke.generate(new SecureRandom());
  private final byte[] context = SignedTexts.proofInfo();
  private byte[] plaintext = {};
  private byte[] sealed = {};

  @Setup
  public void seal() {
    plaintext = new byte[plaintextBytes];
    sealed = Hpke.seal(key.publicKey(), context, plaintext);
  }

  @Benchmark
  public byte[] sealToAgent() {
    return Hpke.seal(key.publicKey(), context, plaintext);
  }

  @Benchmark
  public byte[] openAtAgent() {
    return Hpke.open(key, context, sealed);
  }
}
