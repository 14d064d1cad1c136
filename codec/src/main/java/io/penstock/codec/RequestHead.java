package io.penstock.codec;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;

/// The HTTP part of OPEN: method, origin-form path with query, and the caller's end-to-end fields.
public record RequestHead(AsciiString method, AsciiString path, Fields fields) {

  public void write(ByteBuf out) {
    Text.write8(out, method);
    Text.write16(out, path);
    fields.write(out);
  }

  public static RequestHead read(ByteBuf in) throws ProtocolException {
    return new RequestHead(Text.read8(in, "method"), Text.read16(in, "path"), Fields.read(in));
  }
}
