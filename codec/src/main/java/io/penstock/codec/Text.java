package io.penstock.codec;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;

/// `text8` and `text16` of `docs/protocol.md`, section 5: a length and that many bytes.
final class Text {
  private Text() {}

  static void write8(ByteBuf out, CharSequence text) {
    int length = text.length();
    if (length > 255) {
      throw new IllegalArgumentException("expected at most 255 bytes, found " + length);
    }
    out.writeByte(length);
    writeLatin1(out, text);
  }

  static void write16(ByteBuf out, CharSequence text) {
    int length = text.length();
    if (length > 65_535) {
      throw new IllegalArgumentException("expected at most 65535 bytes, found " + length);
    }
    out.writeShort(length);
    writeLatin1(out, text);
  }

  static AsciiString read8(ByteBuf in, String what) throws ProtocolException {
    return read(in, what, 1);
  }

  static AsciiString read16(ByteBuf in, String what) throws ProtocolException {
    return read(in, what, 2);
  }

  private static AsciiString read(ByteBuf in, String what, int lengthBytes)
      throws ProtocolException {
    need(in, lengthBytes, what);
    int length = lengthBytes == 1 ? in.readUnsignedByte() : in.readUnsignedShort();
    need(in, length, what);
    byte[] bytes = new byte[length];
    in.readBytes(bytes);
    return new AsciiString(bytes, false);
  }

  static void need(ByteBuf in, int bytes, String what) throws ProtocolException {
    if (in.readableBytes() < bytes) {
      throw new ProtocolException(
          ErrorCode.BAD_REQUEST,
          "expected " + bytes + " bytes of " + what + ", found " + in.readableBytes());
    }
  }

  private static void writeLatin1(ByteBuf out, CharSequence text) {
    if (text instanceof AsciiString ascii) {
      out.writeBytes(ascii.array(), ascii.arrayOffset(), ascii.length());
    } else {
      out.writeCharSequence(text, StandardCharsets.ISO_8859_1);
    }
  }
}
