package io.penstock.codec;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;

/// The part of OPEN that every kind has (`docs/protocol.md`, section 5). What the kind adds follows
/// it in the payload, [RequestHead] for http.
///
/// @param system name of the system, `[A-Za-z0-9._-]{1,63}`
/// @param caller who invokes, for the system's `Penstock-Caller`
public record OpenHead(
    StreamKind kind, Deadlines deadlines, RequestIds ids, AsciiString system, AsciiString caller) {

  public void write(ByteBuf out) {
    out.writeByte(kind.number());
    out.writeInt(deadlines.connectMs()).writeInt(deadlines.firstByteMs());
    out.writeInt(deadlines.idleMs()).writeInt(deadlines.totalMs());
    ids.write(out);
    Text.write8(out, system);
    Text.write8(out, caller);
  }

  /// Reads up to the kind's own part; `in` then stands at it.
  public static OpenHead read(ByteBuf in) throws ProtocolException {
    Text.need(in, 17 + 41, "OPEN");
    StreamKind kind = StreamKind.of(in.readUnsignedByte());
    Deadlines deadlines = new Deadlines(ms(in), ms(in), ms(in), ms(in));
    RequestIds ids = RequestIds.read(in);
    return new OpenHead(kind, deadlines, ids, Text.read8(in, "system"), Text.read8(in, "caller"));
  }

  private static int ms(ByteBuf in) {
    return in.readInt() & Integer.MAX_VALUE;
  }
}
