package io.penstock.agent.plugin.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.Fields;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.http.FieldFate;

/// How the body of one request is framed for the system (RFC 9112, section 6), and whether what
/// comes through the tunnel keeps to it.
final class RequestBody {
  enum Kind {
    NONE,
    LENGTH,
    CHUNKED
  }

  private static final byte[] LAST_CHUNK = {'0', '\r', '\n'};
  private static final byte[] LINE_END = {'\r', '\n'};
  private static final int MAX_LENGTH_DIGITS = 18;

  private final Kind kind;
  private long left;
  private boolean begun;

  private RequestBody(Kind kind, long left) {
    this.kind = kind;
    this.left = left;
  }

  /// @param end no body follows
  static RequestBody of(Fields fields, boolean end) throws ProtocolException {
    long length = -1;
    for (int i = 0; i < fields.count(); i++) {
      if (FieldFate.of(fields.name(i)) == FieldFate.CONTENT_LENGTH) {
        if (length >= 0) {
          throw bad("expected one Content-Length, found more");
        }
        length = length(fields.value(i));
      }
    }
    if (end && length > 0) {
      throw bad("expected a body of " + length + " bytes, found none");
    }
    if (length >= 0) {
      return new RequestBody(Kind.LENGTH, length);
    }
    return end ? new RequestBody(Kind.NONE, 0) : new RequestBody(Kind.CHUNKED, Long.MAX_VALUE);
  }

  private static long length(CharSequence value) throws ProtocolException {
    if (value.isEmpty() || value.length() > MAX_LENGTH_DIGITS) {
      throw bad("expected a Content-Length of at most 18 digits");
    }
    long length = 0;
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c < '0' || c > '9') {
        throw bad("expected a decimal Content-Length");
      }
      length = 10 * length + (c - '0');
    }
    return length;
  }

  private static ProtocolException bad(String message) {
    return new ProtocolException(ErrorCode.BAD_REQUEST, message);
  }

  Kind kind() {
    return kind;
  }

  boolean isChunked() {
    return kind == Kind.CHUNKED;
  }

  /// False: more than was announced.
  boolean takes(int bytes) {
    left -= bytes;
    return left >= 0;
  }

  boolean mayEnd() {
    return left == 0 || kind == Kind.CHUNKED;
  }

  /// What goes in front of a chunk, with the line end of the one before.
  ByteBuf chunkStart(ByteBufAllocator allocator, int length) {
    ByteBuf start = allocator.buffer(12);
    endChunk(start);
    ByteBufUtil.writeAscii(start, Integer.toHexString(length));
    begun = true;
    return start.writeBytes(LINE_END);
  }

  ByteBuf lastChunk(ByteBufAllocator allocator, Fields trailers, Credentials credentials) {
    ByteBuf last = allocator.buffer(trailers.count() == 0 ? 8 : 256);
    endChunk(last);
    last.writeBytes(LAST_CHUNK);
    RequestWriter.trailers(last, trailers, credentials);
    return last.writeBytes(LINE_END);
  }

  private void endChunk(ByteBuf out) {
    if (begun) {
      out.writeBytes(LINE_END);
    }
  }
}
