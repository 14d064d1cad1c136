package io.penstock.codec.frame;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ProtocolException;

/// Whatever a record holds, the reader ends in frames or a [ProtocolException], never in another
/// exception.
class FrameReaderFuzzTest {
  @FuzzTest(maxDuration = "60s")
  void anyRecordIsReadOrRefused(byte[] record) {
    var reader = new FrameReader(_ -> {});
    try {
      reader.read(Unpooled.wrappedBuffer(record));
    } catch (ProtocolException refused) {
      // The expected outcome of nearly all inputs.
    } finally {
      reader.close();
    }
  }
}
