package io.penstock.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A head outlives its record, so that its bytes are copied, once; beyond them it costs a fixed sum
/// and one for each field.
class HeadAllocationTest {
  private static final long HEAD_LIMIT_BYTES = 200;
  private static final long FIELD_LIMIT_BYTES = 125;

  @ParameterizedTest
  @CsvSource({"0, 0", "6, 20", "60, 20", "6, 2000"})
  void anAnswerIsCopiedOnce(int fields, int valueBytes) throws Exception {
    ByteBuf wire = Unpooled.buffer();
    new AnswerHead(200, 1, 2, fields(fields, valueBytes)).write(wire);
    int wireBytes = wire.readableBytes();

    assertThat(Allocation.bytesPerCall(() -> AnswerHead.read(wire.readerIndex(0))))
        .isLessThanOrEqualTo(wireBytes + HEAD_LIMIT_BYTES + fields * FIELD_LIMIT_BYTES);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "6, 20", "60, 20", "6, 2000"})
  void aRequestIsCopiedOnce(int fields, int valueBytes) throws Exception {
    ByteBuf wire = Unpooled.buffer();
    new RequestHead(AsciiString.of("GET"), AsciiString.of("/orders"), fields(fields, valueBytes))
        .write(wire);
    int wireBytes = wire.readableBytes();

    assertThat(Allocation.bytesPerCall(() -> RequestHead.read(wire.readerIndex(0))))
        .isLessThanOrEqualTo(wireBytes + HEAD_LIMIT_BYTES + fields * FIELD_LIMIT_BYTES);
  }

  private static Fields fields(int count, int valueBytes) {
    var fields = new Fields();
    for (int i = 0; i < count; i++) {
      fields.add("x-field-" + i, "v".repeat(valueBytes));
    }
    return fields;
  }
}
