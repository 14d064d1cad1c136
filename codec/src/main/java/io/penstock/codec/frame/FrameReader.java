package io.penstock.codec.frame;

import static io.penstock.codec.Protocol.ACK;
import static io.penstock.codec.Protocol.END;
import static io.penstock.codec.Protocol.HEADER_BYTES;
import static io.penstock.codec.Protocol.MORE;
import static io.penstock.codec.Protocol.WANT;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;
import io.penstock.codec.Protocol;
import io.penstock.codec.ProtocolException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Reads the frames of opened records (`docs/protocol.md`, section 4) and hands them on, one by
/// one.
///
/// It knows bytes, not streams: what a frame means on its stream is `codec.mux`'s business. Its
/// only memory is a continued payload, bounded per type, because
/// the pieces of one payload follow each other directly, possibly across records. Not thread-safe:
/// one reader belongs to one direction of one session.
public final class FrameReader {

  /// Who gets the frames. Payload buffers are valid during the call only, unless retained.
  public interface Handler {
    void frame(Frame frame) throws ProtocolException;
  }

  private final Handler handler;

  private int continuedType;
  private int continuedStream;
  private @Nullable ByteBuf continued;

  public FrameReader(Handler handler) {
    this.handler = handler;
  }

  /// Reads every frame of one record's plaintext. The caller keeps owning `record`.
  public void read(ByteBuf record) throws ProtocolException {
    require(
        record.readableBytes() >= HEADER_BYTES,
        "record of at least 8 bytes",
        record.readableBytes());
    while (record.isReadable()) {
      next(record);
    }
  }

  /// Frees a half-read payload; the reader is not used afterwards.
  public void close() {
    if (continued != null) {
      continued.release();
      continued = null;
    }
  }

  private void next(ByteBuf record) throws ProtocolException {
    require(
        record.readableBytes() >= HEADER_BYTES, "frame header of 8 bytes", record.readableBytes());
    int type = record.readUnsignedByte();
    int flags = record.readUnsignedByte();
    int length = record.readUnsignedShort();
    int stream = record.readInt();
    if (record.readableBytes() < length) {
      // Its text is made here only: this is passed for every frame.
      throw new ProtocolException(
          ErrorCode.FRAME_SIZE,
          "expected a payload of " + length + " bytes, found " + record.readableBytes());
    }

    ByteBuf payload = record.readSlice(length);
    if (continued != null) {
      joinPiece(type, flags, stream, payload);
    } else if ((flags & MORE) != 0 && limitOf(type) > 0) {
      beginPieces(type, stream, payload);
    } else {
      dispatch(type, flags, stream, payload);
    }
  }

  private void beginPieces(int type, int stream, ByteBuf payload) throws ProtocolException {
    continuedType = type;
    continuedStream = stream;
    continued = Unpooled.buffer(Math.max(payload.readableBytes() * 2, 256));
    append(payload);
  }

  private void joinPiece(int type, int flags, int stream, ByteBuf payload)
      throws ProtocolException {
    if (type != continuedType || stream != continuedStream) {
      throw new ProtocolException(
          ErrorCode.PROTOCOL_ERROR,
          "expected the next piece of type "
              + continuedType
              + " on stream "
              + continuedStream
              + ", found type "
              + type
              + " on stream "
              + stream);
    }
    append(payload);
    if ((flags & MORE) == 0) {
      ByteBuf whole = takeContinued();
      try {
        dispatch(type, flags, stream, whole);
      } finally {
        whole.release();
      }
    }
  }

  private void append(ByteBuf payload) throws ProtocolException {
    ByteBuf whole = takeContinued();
    if (whole.readableBytes() + payload.readableBytes() > limitOf(continuedType)) {
      whole.release();
      throw new ProtocolException(
          ErrorCode.FRAME_SIZE,
          "expected at most "
              + limitOf(continuedType)
              + " bytes in pieces of type "
              + continuedType);
    }
    continued = whole.writeBytes(payload);
  }

  private ByteBuf takeContinued() {
    if (continued == null) {
      throw new IllegalStateException("no payload is being continued");
    }
    ByteBuf whole = continued;
    continued = null;
    return whole;
  }

  /// Bytes that a continued payload may have in all; 0 = this type cannot be continued.
  private static int limitOf(int type) {
    return switch (type) {
      case Protocol.OPEN, Protocol.HEAD, Protocol.TRAILERS -> Protocol.MAX_HEAD_BYTES;
      case Protocol.CONTROL, Protocol.MESSAGE -> Protocol.MAX_CONTROL_BYTES;
      default -> 0;
    };
  }

  private void dispatch(int type, int flags, int stream, ByteBuf payload) throws ProtocolException {
    boolean end = (flags & END) != 0;
    switch (type) {
      case Protocol.DATA ->
          handler.frame(new Frame.Data(onStream(type, stream), end, (flags & WANT) != 0, payload));
      case Protocol.HEAD -> handler.frame(new Frame.Head(onStream(type, stream), end, payload));
      case Protocol.OPEN -> handler.frame(new Frame.Open(onStream(type, stream), end, payload));
      case Protocol.CREDIT -> handler.frame(credit(stream, payload));
      case Protocol.TRAILERS -> handler.frame(new Frame.Trailers(onStream(type, stream), payload));
      case Protocol.TIMING -> handler.frame(timing(stream, payload));
      case Protocol.RESET -> handler.frame(reset(stream, payload));
      case Protocol.PING -> handler.frame(ping(flags, stream, payload));
      case Protocol.CONTROL ->
          handler.frame(new Frame.Control(ofSession(type, stream, payload, 1)));
      case Protocol.MESSAGE -> {
        ofSession(type, stream, payload, 8);
        handler.frame(new Frame.Message(payload.readLong(), payload));
      }
      case Protocol.RECEIPT -> {
        ofSession(type, stream, payload, 8);
        handler.frame(new Frame.Receipt(payload.readLong(), payload));
      }
      case Protocol.REKEY -> {
        ofSession(type, stream, payload, 1);
        handler.frame(new Frame.Rekey(payload.readUnsignedByte(), payload));
      }
      case Protocol.DRAIN -> {
        ofSession(type, stream, payload, 8);
        handler.frame(new Frame.Drain(payload.readInt(), payload.readInt()));
      }
      case Protocol.CLOSE -> {
        ofSession(type, stream, payload, 6);
        handler.frame(
            new Frame.Close(
                ErrorCode.of(payload.readUnsignedShort()), payload.readInt(), text(payload)));
      }
      default -> {
        // A type of a newer peer: skipped (section 9).
      }
    }
  }

  private static Frame credit(int stream, ByteBuf payload) throws ProtocolException {
    onStream(Protocol.CREDIT, stream);
    atLeast(Protocol.CREDIT, payload, 4);
    int bytes = payload.readInt();
    require(bytes > 0, "credit above 0", bytes);
    return new Frame.Credit(stream, bytes);
  }

  private static Frame timing(int stream, ByteBuf payload) throws ProtocolException {
    onStream(Protocol.TIMING, stream);
    atLeast(Protocol.TIMING, payload, 16);
    return new Frame.Timing(
        stream,
        payload.readUnsignedInt(),
        payload.readUnsignedInt(),
        payload.readUnsignedInt(),
        payload.readUnsignedInt());
  }

  private static Frame reset(int stream, ByteBuf payload) throws ProtocolException {
    onStream(Protocol.RESET, stream);
    atLeast(Protocol.RESET, payload, 3);
    ErrorCode code = ErrorCode.of(payload.readUnsignedShort());
    boolean untouched = payload.readUnsignedByte() == 1;
    return new Frame.Reset(stream, code, untouched, text(payload));
  }

  private static Frame ping(int flags, int stream, ByteBuf payload) throws ProtocolException {
    boolean answer = (flags & ACK) != 0;
    ofSession(Protocol.PING, stream, payload, answer ? 16 : 8);
    return answer
        ? new Frame.Pong(payload.readLong(), payload.readLong())
        : new Frame.Ping(payload.readLong());
  }

  /// Text of a peer, for our log only: at most 200 bytes, printable ASCII, everything else shown as
  /// `?`.
  private static String text(ByteBuf payload) {
    byte[] bytes = new byte[Math.min(payload.readableBytes(), 200)];
    payload.readBytes(bytes);
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
        bytes[i] = '?';
      }
    }
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  private static int onStream(int type, int stream) throws ProtocolException {
    if (stream <= 0) {
      throw new ProtocolException(
          ErrorCode.STREAM_ID,
          "expected a stream id from 1 for type " + type + ", found " + stream);
    }
    return stream;
  }

  private static ByteBuf ofSession(int type, int stream, ByteBuf payload, int bytes)
      throws ProtocolException {
    if (stream != 0) {
      throw new ProtocolException(
          ErrorCode.STREAM_ID, "expected stream 0 for type " + type + ", found " + stream);
    }
    atLeast(type, payload, bytes);
    return payload;
  }

  private static void atLeast(int type, ByteBuf payload, int bytes) throws ProtocolException {
    if (payload.readableBytes() < bytes) {
      throw new ProtocolException(
          ErrorCode.FRAME_SIZE,
          "expected at least "
              + bytes
              + " bytes for type "
              + type
              + ", found "
              + payload.readableBytes());
    }
  }

  private static void require(boolean condition, String expected, int found)
      throws ProtocolException {
    if (!condition) {
      throw new ProtocolException(
          ErrorCode.FRAME_SIZE, "expected a " + expected + ", found " + found);
    }
  }
}
