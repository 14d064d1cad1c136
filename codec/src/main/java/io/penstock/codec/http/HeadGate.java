package io.penstock.codec.http;

import io.netty.buffer.ByteBuf;

/// Judges the complete raw bytes of one head, from its first line through the empty line, before
/// any parser sees them: accepted is only what every parser, lenient or not, reads in the same way
/// (protocol, "HTTP through the tunnel"). Functions without state; one pass over the bytes.
public final class HeadGate {

  private HeadGate() {}

  /// `length` bytes at `index` of `buffer` are a head as [HeadEnd] found it; no index of the buffer
  /// moves.
  public static Verdict request(ByteBuf buffer, int index, int length, HeadLimits limits) {
    if (length > limits.headBytes()) {
      return new Verdict.Refused(Refusal.HEAD_TOO_LARGE);
    }
    byte[] bytes = bytes(buffer, index, length);
    int from = offset(buffer, index);
    return new RequestHead(bytes, from, from + length, limits).judge();
  }

  /// The same for an answer to a request that was `asked`.
  public static Verdict response(
      ByteBuf buffer, int index, int length, Asked asked, HeadLimits limits) {
    if (length > limits.headBytes()) {
      return new Verdict.Refused(Refusal.HEAD_TOO_LARGE);
    }
    byte[] bytes = bytes(buffer, index, length);
    int from = offset(buffer, index);
    return new ResponseHead(bytes, from, from + length, asked, limits).judge();
  }

  /// Direct memory is copied once: a head is short, and reading it byte by byte through the buffer
  /// costs more.
  private static byte[] bytes(ByteBuf buffer, int index, int length) {
    if (buffer.hasArray()) {
      return buffer.array();
    }
    byte[] copy = new byte[length];
    buffer.getBytes(index, copy);
    return copy;
  }

  private static int offset(ByteBuf buffer, int index) {
    return buffer.hasArray() ? buffer.arrayOffset() + index : 0;
  }
}
