package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/// Frames of a broker's WebSocket: whole, unmasked (RFC 6455, section 5.2).
final class MessageEncoder {
  /// Free bytes that [#header] needs before a message.
  static final int HEADER_ROOM = 4;

  private static final int LAST = 0x80;
  private static final int BINARY = 2;
  private static final int CLOSE = 8;
  private static final int PONG = 10;

  private MessageEncoder() {}

  /// Puts the header in front of a binary message.
  static void header(ByteBuf message) {
    int length = message.readableBytes();
    int at = message.readerIndex();
    if (length < 126) {
      message.readerIndex(at - 2).setByte(at - 2, LAST | BINARY).setByte(at - 1, length);
    } else {
      message.readerIndex(at - 4).setByte(at - 4, LAST | BINARY).setByte(at - 3, 126);
      message.setShort(at - 2, length);
    }
  }

  /// @param reason at most 123 bytes of ASCII
  static ByteBuf close(int status, String reason) {
    byte[] text = reason.getBytes(StandardCharsets.US_ASCII);
    ByteBuf frame = Unpooled.buffer(4 + text.length).writeByte(LAST | CLOSE);
    return status == MessageDecoder.NO_STATUS
        ? frame.writeByte(0)
        : frame.writeByte(2 + text.length).writeShort(status).writeBytes(text);
  }

  /// What goes before the payload of a PING that is answered.
  static ByteBuf pongHeader(int length) {
    return Unpooled.buffer(2).writeByte(LAST | PONG).writeByte(length);
  }
}
