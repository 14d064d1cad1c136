package io.penstock.codec;

import io.netty.buffer.ByteBuf;
import java.util.HexFormat;

/// What names one invocation everywhere: our request id and its W3C trace context.
///
/// @param requestHigh with `requestLow` the 128-bit `Penstock-Request-Id`
/// @param traceHigh with `traceLow` the trace id
/// @param span the parent span id for the next hop
/// @param traceFlags W3C trace flags
public record RequestIds(
    long requestHigh, long requestLow, long traceHigh, long traceLow, long span, int traceFlags) {

  /// `Penstock-Request-Id`: 32 hex digits.
  public String requestId() {
    return hex(requestHigh) + hex(requestLow);
  }

  /// `Traceparent` header of W3C Trace Context, version 00.
  public String traceparent() {
    return "00-"
        + hex(traceHigh)
        + hex(traceLow)
        + "-"
        + hex(span)
        + "-"
        + HexFormat.of().toHexDigits((byte) traceFlags);
  }

  void write(ByteBuf out) {
    out.writeLong(requestHigh).writeLong(requestLow).writeLong(traceHigh).writeLong(traceLow);
    out.writeLong(span).writeByte(traceFlags);
  }

  static RequestIds read(ByteBuf in) {
    return new RequestIds(
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readUnsignedByte());
  }

  private static String hex(long value) {
    return HexFormat.of().toHexDigits(value);
  }
}
