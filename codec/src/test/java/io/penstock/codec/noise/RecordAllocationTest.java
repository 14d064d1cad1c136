package io.penstock.codec.noise;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.Allocation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A record is sealed and opened from array to array: what that allocates does not grow with it.
class RecordAllocationTest {
  /// The JDK's cipher makes itself ready anew for every nonce, twice here.
  private static final long LIMIT_BYTES = 3 * 1024;

  @ParameterizedTest
  @ValueSource(ints = {64, 1024, 16 * 1024, CipherState.MAX_PLAINTEXT_BYTES})
  void sealingAndOpeningCopiesNothing(int plaintextBytes) throws Exception {
    Parties.Finished done = Parties.finish(Suite.XXHFS);
    CipherState sender = done.initiator().split().send();
    CipherState receiver = done.responder().split().receive();
    byte[] plaintext = new byte[plaintextBytes];
    byte[] record = new byte[plaintextBytes + CipherState.TAG_BYTES];

    long bytes =
        Allocation.bytesPerCall(
            () -> {
              int length = sender.seal(plaintext, 0, plaintextBytes, record, 0);
              receiver.open(record, 0, length, plaintext, 0);
            });

    assertThat(bytes).isLessThanOrEqualTo(LIMIT_BYTES);
  }
}
