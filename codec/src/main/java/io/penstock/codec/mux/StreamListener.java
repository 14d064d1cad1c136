package io.penstock.codec.mux;

import io.netty.buffer.ByteBuf;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Frame;

/// What the peer does on one stream. Called on the session's event loop, never after [#onReset] or
/// after both directions have ended.
/// Buffers are valid during the call, unless retained.
public interface StreamListener {

  /// `end`: no body follows. A head with status 1xx is followed by another.
  default void onHead(ByteBuf head, boolean end) {}

  /// The reader calls [MuxStream#consumed] for these bytes once it has passed them on; until then
  /// they count against the stream's credit.
  void onData(ByteBuf data, boolean end);

  /// The end of the peer's direction.
  default void onTrailers(ByteBuf fields) {}

  default void onTiming(Frame.Timing timing) {}

  /// The stream is gone, in both directions: reset by the peer, or its session ended.
  ///
  /// @param untouched nothing of the request has reached the system
  void onReset(ErrorCode code, boolean untouched, String text);

  /// [MuxStream#isWritable] became true again.
  default void onWritable() {}
}
