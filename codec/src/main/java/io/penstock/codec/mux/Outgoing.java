package io.penstock.codec.mux;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.Protocol;
import io.penstock.codec.frame.FrameWriter;

/// A frame that waits to be written, other than DATA. Its payload is owned by the queue it waits
/// in.
record Outgoing(int type, int flags, int stream, ByteBuf payload) {

  /// Writes as much as fits below `limit`. True when the whole frame is out. Pieces only for
  /// payloads that fit no single frame,
  /// because pieces must follow each other directly.
  boolean write(ByteBuf out, int limit) {
    while (true) {
      int room = limit - out.readableBytes() - Protocol.HEADER_BYTES;
      int left = payload.readableBytes();
      if (left <= room) {
        FrameWriter.frame(out, type, flags, stream, payload, left);
        payload.release();
        return true;
      }
      if (left <= Protocol.MAX_WRITTEN_PAYLOAD_BYTES || room < 1024) {
        return false;
      }
      FrameWriter.frame(out, type, Protocol.MORE, stream, payload, room);
    }
  }
}
