package io.penstock.broker.tunnel;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.penstock.codec.Protocol;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// WebSocket frames of an agent (RFC 6455, section 5.2) to whole binary messages: a `ByteBuf` each,
/// and [SocketEvent]s. `docs/protocol.md`, section 1.
///
/// ```
///  0                   1                   2                   3
///  +-+-+-+-+-------+-+-------------+-------------------------------+
///  |F|R|R|R| opcode|M| length (7)  | length (16) if 126            |
///  |I|S|S|S|  (4)  |A|             +-------------------------------+
///  |N|V|V|V|       |S|             | masking key (32) …            |
///  +-+-+-+-+-------+-+-------------+-------------------------------+
/// ```
///
/// Not Netty's decoder, because a frame must be refused by its header alone, also against the
/// budget of a handshake, and because a record should become no more objects than its buffer. A
/// payload is unmasked where it lies.
final class MessageDecoder extends ByteToMessageDecoder {
  static final int NORMAL = 1000;
  static final int PROTOCOL_ERROR = 1002;
  static final int UNSUPPORTED = 1003;
  static final int NO_STATUS = 1005;
  static final int BAD_TEXT = 1007;
  static final int POLICY = 1008;
  static final int TOO_BIG = 1009;
  static final int TRY_AGAIN_LATER = 1013;

  private static final int CONTINUATION = 0;
  private static final int TEXT = 1;
  private static final int BINARY = 2;
  private static final int CLOSE = 8;
  private static final int PING = 9;
  private static final int PONG = 10;

  private static final int MASK_BYTES = 4;
  private static final int MAX_CONTROL_BYTES = 125;

  /// What may still arrive until the handshake is done.
  private long budgetBytes = Protocol.MAX_HANDSHAKE_BYTES;

  /// Pieces of a message so far.
  private @Nullable ByteBuf partial;

  private boolean failed;

  /// The handshake is done: any number of messages.
  void liftBudget() {
    budgetBytes = Long.MAX_VALUE;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
    if (failed) {
      in.skipBytes(in.readableBytes());
      return;
    }
    int start = in.readerIndex();
    int available = in.readableBytes();
    if (available < 2) {
      return;
    }
    int first = in.getUnsignedByte(start);
    int second = in.getUnsignedByte(start + 1);
    int shortLength = second & 0x7f;
    Violated violated = judge(first, second, shortLength);
    if (violated != null) {
      fail(violated, in, out);
      return;
    }
    int lengthBytes = shortLength == 126 ? 2 : 0;
    if (available < 2 + lengthBytes) {
      return;
    }
    int length = lengthBytes == 0 ? shortLength : in.getUnsignedShort(start + 2);
    violated = judgeLength(first & 0xf, length, lengthBytes);
    if (violated != null) {
      fail(violated, in, out);
      return;
    }
    int header = 2 + lengthBytes + MASK_BYTES;
    if (available < header + length) {
      return;
    }
    budgetBytes -= header + length;
    int mask = in.getInt(start + 2 + lengthBytes);
    in.skipBytes(header);
    unmask(in, in.readerIndex(), length, mask);
    payload(ctx, first, in, length, out);
  }

  /// A rule that the peer broke.
  private enum Violated {
    EXTENSION(PROTOCOL_ERROR, "reserved bits are set"),
    UNMASKED(PROTOCOL_ERROR, "frames of an agent are masked"),
    OPCODE(PROTOCOL_ERROR, "unknown opcode"),
    CONTROL(PROTOCOL_ERROR, "control frames are short and whole"),
    ORDER(PROTOCOL_ERROR, "continuation out of order"),
    LENGTH(PROTOCOL_ERROR, "length is not in its shortest form"),
    STATUS(PROTOCOL_ERROR, "unknown close status"),
    REASON(BAD_TEXT, "close reason is not UTF-8"),
    TEXT_MESSAGE(UNSUPPORTED, "messages are binary"),
    SIZE(TOO_BIG, "message too big");

    final int status;
    final String reason;

    Violated(int status, String reason) {
      this.status = status;
      this.reason = reason;
    }
  }

  /// By the first two bytes.
  private @Nullable Violated judge(int first, int second, int shortLength) {
    boolean last = (first & 0x80) != 0;
    int opcode = first & 0xf;
    if ((first & 0x70) != 0) {
      return Violated.EXTENSION;
    }
    if ((second & 0x80) == 0) {
      return Violated.UNMASKED;
    }
    return switch (opcode) {
      case TEXT -> Violated.TEXT_MESSAGE;
      case CONTINUATION -> partial == null ? Violated.ORDER : tooBig(shortLength);
      case BINARY -> partial != null ? Violated.ORDER : tooBig(shortLength);
      case CLOSE, PING, PONG -> last && shortLength <= MAX_CONTROL_BYTES ? null : Violated.CONTROL;
      default -> Violated.OPCODE;
    };
  }

  /// 127 announces a length of 64 bits: more than we take, or not in its shortest form.
  private static @Nullable Violated tooBig(int shortLength) {
    return shortLength == 127 ? Violated.SIZE : null;
  }

  private @Nullable Violated judgeLength(int opcode, int length, int lengthBytes) {
    if (lengthBytes == 2 && length < 126) {
      return Violated.LENGTH;
    }
    int before = opcode == CONTINUATION && partial != null ? partial.readableBytes() : 0;
    boolean tooBig = before + length > Protocol.MAX_RECORD_BYTES;
    boolean overBudget = 2 + lengthBytes + MASK_BYTES + length > budgetBytes;
    return tooBig || overBudget ? Violated.SIZE : null;
  }

  private void fail(Violated violated, ByteBuf in, List<Object> out) {
    failed = true;
    in.skipBytes(in.readableBytes());
    out.add(new SocketEvent.Violation(violated.status, violated.reason));
  }

  private static void unmask(ByteBuf in, int from, int length, int mask) {
    long wide = (mask & 0xffff_ffffL) << 32 | (mask & 0xffff_ffffL);
    int at = from;
    int end = from + length;
    for (; at + 8 <= end; at += 8) {
      in.setLong(at, in.getLong(at) ^ wide);
    }
    for (int shift = 24; at < end; at++, shift = (shift - 8) & 31) {
      in.setByte(at, in.getByte(at) ^ mask >>> shift);
    }
  }

  private void payload(
      ChannelHandlerContext ctx, int first, ByteBuf in, int length, List<Object> out) {
    boolean last = (first & 0x80) != 0;
    switch (first & 0xf) {
      case BINARY -> {
        if (last) {
          out.add(in.readRetainedSlice(length));
        } else {
          partial = ctx.alloc().buffer(Math.max(length, 256), Protocol.MAX_RECORD_BYTES);
          partial.writeBytes(in, length);
        }
      }
      case CONTINUATION -> continued(last, in, length, out);
      case PING -> out.add(new SocketEvent.Ping(in.readRetainedSlice(length)));
      case CLOSE -> closing(in.readSlice(length), in, out);
      default -> in.skipBytes(length);
    }
  }

  private void continued(boolean last, ByteBuf in, int length, List<Object> out) {
    ByteBuf message = partial;
    if (message == null) {
      throw new IllegalStateException("a continuation without a beginning was let pass");
    }
    message.writeBytes(in, length);
    if (last) {
      partial = null;
      out.add(message);
    }
  }

  private void closing(ByteBuf payload, ByteBuf in, List<Object> out) {
    if (!payload.isReadable()) {
      out.add(new SocketEvent.Closing(NO_STATUS));
    } else if (payload.readableBytes() < 2 || !isStatus(payload.getUnsignedShort(0))) {
      fail(Violated.STATUS, in, out);
    } else if (!isUtf8(payload.nioBuffer(2, payload.readableBytes() - 2))) {
      fail(Violated.REASON, in, out);
    } else {
      failed = true;
      out.add(new SocketEvent.Closing(payload.getUnsignedShort(0)));
    }
  }

  /// RFC 6455, section 7.4: those that may travel.
  private static boolean isStatus(int status) {
    boolean named = status >= 1000 && status <= 1014 && (status < 1004 || status > 1006);
    return named || (status >= 3000 && status <= 4999);
  }

  private static boolean isUtf8(ByteBuffer bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(bytes);
      return true;
    } catch (CharacterCodingException not) {
      return false;
    }
  }

  @Override
  protected void handlerRemoved0(ChannelHandlerContext ctx) {
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }
}
