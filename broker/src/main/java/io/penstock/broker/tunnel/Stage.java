package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// What a tunnel's WebSocket messages mean at the moment: first a handshake, then a session. On the
/// tunnel's event loop.
interface Stage {

  /// A whole message; the caller releases it.
  void message(ByteBuf message);

  /// The next message to send, with [MessageEncoder#HEADER_ROOM] before it; null = nothing waits.
  @Nullable ByteBuf next();

  /// The connection is gone, or its peer broke the rules of WebSocket. May be called again.
  void closed();
}
