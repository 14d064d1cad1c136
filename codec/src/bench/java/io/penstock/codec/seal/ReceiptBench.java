package io.penstock.codec.seal;

import io.penstock.codec.seal.Receipt.Applied;
import java.security.SecureRandom;
import java.util.List;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Receipts of one moment, signed together and verified; divide by `receipts` for one.
@State(Scope.Thread)
public class ReceiptBench {
  @Param({"1", "32"})
  int receipts;

  private final SigningKey identity = SigningKey.generate(new SecureRandom());
  private List<Receipt> applied = List.of();
  private String signed = "";

  @Setup
  public void sign() {
    applied =
        IntStream.range(0, receipts)
            .mapToObj(
                i ->
                    new Receipt(
                        "press-line-1",
                        2,
                        "erp-" + i,
                        3,
                        Octets.sha256(new byte[] {(byte) i}),
                        new Applied(),
                        1_790_000_000))
            .toList();
    signed = Receipt.sign(applied, identity);
  }

  @Benchmark
  public String signTogether() {
    return Receipt.sign(applied, identity);
  }

  @Benchmark
  public List<Receipt> verifyTogether() {
    return Receipt.verify(signed, identity.verifyingKey());
  }
}
