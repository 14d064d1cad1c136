package io.penstock.codec.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.penstock.codec.Frame;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/// Frames to bytes and back. Writing copies a payload once, into the record; reading copies none.
public class FrameBench {

  /// One DATA frame.
  @State(Scope.Thread)
  public static class Data {
    @Param({"64", "1024", "16340"})
    int payloadBytes;

    ByteBuf payload = Unpooled.EMPTY_BUFFER;
    final ByteBuf record = plaintext();
    final Sink sink = new Sink();

    @Setup
    public void write() {
      payload = Unpooled.wrappedBuffer(new byte[payloadBytes]);
      encode();
    }

    ByteBuf encode() {
      FrameWriter.frame(
          record.clear(), Protocol.DATA, Protocol.END, 2, payload.readerIndex(0), payloadBytes);
      return record;
    }

    @TearDown
    public void release() {
      record.release();
    }
  }

  /// What a busy record holds: the ends of one answer, the beginning of the next, and credit.
  @State(Scope.Thread)
  public static class Mixed {
    final ByteBuf record = plaintext();
    final Sink sink = new Sink();

    @Setup
    public void write() {
      ByteBuf head = Unpooled.wrappedBuffer(new byte[200]);
      ByteBuf body = Unpooled.wrappedBuffer(new byte[1024]);
      FrameWriter.credit(record, 2, 32 * 1024);
      FrameWriter.frame(record, Protocol.HEAD, 0, 4, head, 200);
      FrameWriter.timing(record, 4, 10, 20, 300, 400);
      FrameWriter.frame(record, Protocol.HEAD, 0, 6, head.readerIndex(0), 200);
      FrameWriter.timing(record, 6, 10, 20, 300, 400);
      FrameWriter.ping(record, 1);
      FrameWriter.frame(record, Protocol.DATA, Protocol.END, 4, body, 1024);
      FrameWriter.frame(record, Protocol.DATA, Protocol.END, 6, body.readerIndex(0), 1024);
    }

    @TearDown
    public void release() {
      record.release();
    }
  }

  /// Takes frames as a multiplexer does: looks at the stream, and at the payload if there is one.
  static final class Sink implements FrameReader.Handler {
    final FrameReader reader = new FrameReader(this);
    private long seen;

    @Override
    public void frame(Frame frame) {
      seen += frame.streamId();
      if (frame instanceof Frame.Data data) {
        seen += data.payload().readableBytes();
      }
    }

    long read(ByteBuf record) throws ProtocolException {
      reader.read(record.readerIndex(0));
      return seen;
    }
  }

  private static ByteBuf plaintext() {
    return ByteBufAllocator.DEFAULT.heapBuffer(Protocol.MAX_WRITTEN_PLAINTEXT_BYTES);
  }

  @Benchmark
  public ByteBuf encodeData(Data data) {
    return data.encode();
  }

  @Benchmark
  public long decodeData(Data data) throws ProtocolException {
    return data.sink.read(data.record);
  }

  /// Eight frames an operation.
  @Benchmark
  public void decodeMixed(Mixed mixed, Blackhole hole) throws ProtocolException {
    hole.consume(mixed.sink.read(mixed.record));
  }
}
