package io.penstock.codec.frame;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.codec.Allocation;
import io.penstock.codec.Protocol;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A frame is a slice of its record: what reading it allocates does not grow with it.
class FrameReaderAllocationTest {
  /// The frame, its slice, and nothing else.
  private static final long FRAME_LIMIT_BYTES = 96;

  private final FrameReader reader = new FrameReader(_ -> {});

  @ParameterizedTest
  @CsvSource({"64", "1024", "16340"})
  void aDataFrameIsNotCopied(int payloadBytes) throws Exception {
    ByteBuf record = record(Protocol.DATA, payloadBytes);

    assertThat(Allocation.bytesPerCall(() -> reader.read(record.readerIndex(0))))
        .isLessThanOrEqualTo(FRAME_LIMIT_BYTES);
  }

  @ParameterizedTest
  @CsvSource({"2, 300", "3, 200", "3, 16340", "5, 100"})
  void aHeadIsNotCopied(int type, int payloadBytes) throws Exception {
    ByteBuf record = record(type, payloadBytes);

    assertThat(Allocation.bytesPerCall(() -> reader.read(record.readerIndex(0))))
        .isLessThanOrEqualTo(FRAME_LIMIT_BYTES);
  }

  private static ByteBuf record(int type, int payloadBytes) {
    ByteBuf record = Unpooled.buffer(Protocol.MAX_WRITTEN_PLAINTEXT_BYTES);
    ByteBuf payload = Unpooled.wrappedBuffer(new byte[payloadBytes]);
    FrameWriter.frame(record, type, 0, 2, payload, payloadBytes);
    return record;
  }
}
