package io.penstock.codec.frame;

import static io.penstock.codec.Protocol.HEADER_BYTES;
import static io.penstock.codec.Protocol.MAX_WRITTEN_PAYLOAD_BYTES;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Protocol;
import java.nio.charset.StandardCharsets;

/// Writes frames into a buffer (`docs/protocol.md`, section 4). Every method appends exactly one
/// frame, [#pieces] as many as its payload needs.
public final class FrameWriter {
  private FrameWriter() {}

  /// One frame of any type whose payload is `length` bytes of `payload` (its reader index moves).
  public static void frame(
      ByteBuf out, int type, int flags, int stream, ByteBuf payload, int length) {
    header(out, type, flags, stream, length);
    out.writeBytes(payload, length);
  }

  /// A payload that may be continued: pieces that each fit a record, MORE on all but the last,
  /// `flags` on the last. `payload` is read to its end.
  public static void pieces(ByteBuf out, int type, int flags, int stream, ByteBuf payload) {
    while (payload.readableBytes() > MAX_WRITTEN_PAYLOAD_BYTES) {
      frame(out, type, Protocol.MORE, stream, payload, MAX_WRITTEN_PAYLOAD_BYTES);
    }
    frame(out, type, flags, stream, payload, payload.readableBytes());
  }

  public static void timing(
      ByteBuf out,
      int stream,
      long agentMicros,
      long connectMicros,
      long firstByteMicros,
      long totalMicros) {
    header(out, Protocol.TIMING, 0, stream, 16);
    out.writeInt(clamp(agentMicros)).writeInt(clamp(connectMicros));
    out.writeInt(clamp(firstByteMicros)).writeInt(clamp(totalMicros));
  }

  public static void reset(
      ByteBuf out, int stream, ErrorCode code, boolean untouched, String text) {
    byte[] bytes = shortText(text);
    header(out, Protocol.RESET, 0, stream, 3 + bytes.length);
    out.writeShort(code.number()).writeByte(untouched ? 1 : 0).writeBytes(bytes);
  }

  public static void credit(ByteBuf out, int stream, int bytes) {
    header(out, Protocol.CREDIT, 0, stream, 4);
    out.writeInt(bytes);
  }

  public static void ping(ByteBuf out, long opaque) {
    header(out, Protocol.PING, 0, 0, 8);
    out.writeLong(opaque);
  }

  public static void pong(ByteBuf out, long opaque, long wallClockMs) {
    header(out, Protocol.PING, Protocol.ACK, 0, 16);
    out.writeLong(opaque).writeLong(wallClockMs);
  }

  public static void receipt(ByteBuf out, long sequence, byte[] body) {
    header(out, Protocol.RECEIPT, 0, 0, 8 + body.length);
    out.writeLong(sequence).writeBytes(body);
  }

  public static void rekey(ByteBuf out, int step, byte[] handshakeMessage) {
    header(out, Protocol.REKEY, 0, 0, 1 + handshakeMessage.length);
    out.writeByte(step).writeBytes(handshakeMessage);
  }

  public static void drain(ByteBuf out, int spreadMs, int drainMs) {
    header(out, Protocol.DRAIN, 0, 0, 8);
    out.writeInt(spreadMs).writeInt(drainMs);
  }

  public static void close(ByteBuf out, ErrorCode code, int retryAfterMs, String text) {
    byte[] bytes = shortText(text);
    header(out, Protocol.CLOSE, 0, 0, 6 + bytes.length);
    out.writeShort(code.number()).writeInt(retryAfterMs).writeBytes(bytes);
  }

  private static void header(ByteBuf out, int type, int flags, int stream, int length) {
    if (length > MAX_WRITTEN_PAYLOAD_BYTES) {
      throw new IllegalArgumentException(
          "expected a payload of at most " + MAX_WRITTEN_PAYLOAD_BYTES + " bytes, found " + length);
    }
    out.ensureWritable(HEADER_BYTES + length);
    out.writeByte(type).writeByte(flags).writeShort(length).writeInt(stream);
  }

  private static int clamp(long micros) {
    return (int) Math.clamp(micros, 0L, 0xffff_ffffL);
  }

  private static byte[] shortText(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return bytes.length <= 200 ? bytes : java.util.Arrays.copyOf(bytes, 200);
  }
}
