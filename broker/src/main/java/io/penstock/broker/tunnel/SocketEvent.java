package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;

/// What a WebSocket says besides messages.
sealed interface SocketEvent {

  /// `payload` is owned by who gets it.
  record Ping(ByteBuf payload) implements SocketEvent {}

  /// The peer's close frame; `status` is 1005 when it named none.
  record Closing(int status) implements SocketEvent {}

  /// The peer broke a rule; nothing is read any more.
  record Violation(int status, String reason) implements SocketEvent {}
}
