package io.penstock.codec.message;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.codec.Allocation;
import io.penstock.codec.message.DeliveryMessage.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A decoded message owns its texts and arrays, one copy of what was received, and no more of them
/// is made on the way.
class MessageAllocationTest {
  private static final long LIMIT_BYTES = 2 * 1024;

  @Test
  void aSmallMessageIsCheap() throws Exception {
    byte[] wire = Messages.encode(new ControlMessage.Admitted(7, true, 2));

    assertThat(Allocation.bytesPerCall(() -> Messages.decode(wire)))
        .isLessThanOrEqualTo(LIMIT_BYTES);
  }

  @ParameterizedTest
  @ValueSource(ints = {1_000, 10_000, 100_000})
  void documentsAreCopiedOnce(int documentBytes) throws Exception {
    byte[] wire =
        Messages.encode(
            new Configuration(
                "erp",
                3,
                null,
                new ConfigurationDocument(
                    "h.b.s", new byte[documentBytes], new byte[documentBytes])));

    assertThat(Allocation.bytesPerCall(() -> Messages.decodeDelivery(wire)))
        .isBetween(2L * documentBytes, 2L * documentBytes + LIMIT_BYTES);
  }

  @ParameterizedTest
  @ValueSource(ints = {1_000, 10_000})
  void aSignedTextIsCopiedOnce(int chars) throws Exception {
    byte[] wire = Messages.encode(DeliveryReceipt.of("r".repeat(chars)));

    assertThat(Allocation.bytesPerCall(() -> Messages.decodeReceipt(wire)))
        .isBetween((long) chars, chars + LIMIT_BYTES);
  }
}
