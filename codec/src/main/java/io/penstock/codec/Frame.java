package io.penstock.codec;

import io.netty.buffer.ByteBuf;

/// One whole frame (continued pieces already joined). Payload buffers belong to the reader: who
/// keeps one beyond the call retains it.
///
/// Flow: `FrameReader` makes them, `codec.mux` acts on them.
public sealed interface Frame {

  /// 0 = the session.
  default int streamId() {
    return 0;
  }

  /// A control message of `codec.message`, at most 256 KiB.
  record Control(ByteBuf payload) implements Frame {}

  /// A new stream. Payload: [OpenHead].
  record Open(int streamId, boolean end, ByteBuf payload) implements Frame {}

  /// Payload: [AnswerHead].
  record Head(int streamId, boolean end, ByteBuf payload) implements Frame {}

  /// `want`: the sender has more, and no credit left for it.
  record Data(int streamId, boolean end, boolean want, ByteBuf payload) implements Frame {}

  /// Payload: [Fields]. Always the end of its direction.
  record Trailers(int streamId, ByteBuf payload) implements Frame {}

  /// Microseconds spent by the agent, connecting, until the system's first byte, and in all.
  record Timing(
      int streamId, long agentMicros, long connectMicros, long firstByteMicros, long totalMicros)
      implements Frame {}

  /// `untouched`: nothing of the request has reached the system.
  record Reset(int streamId, ErrorCode code, boolean untouched, String text) implements Frame {}

  record Credit(int streamId, int bytes) implements Frame {}

  record Ping(long opaque) implements Frame {}

  record Pong(long opaque, long wallClockMs) implements Frame {}

  record Message(long sequence, ByteBuf body) implements Frame {}

  record Receipt(long sequence, ByteBuf body) implements Frame {}

  record Rekey(int step, ByteBuf handshakeMessage) implements Frame {}

  record Drain(int spreadMs, int drainMs) implements Frame {}

  record Close(ErrorCode code, int retryAfterMs, String text) implements Frame {}
}
