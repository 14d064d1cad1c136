package io.penstock.loadtest.target;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// A body that is pulled while the socket takes it, so that its size costs no memory.
interface ResponseBody {
  int PIECE_BYTES = 64 << 10;

  /// The next piece, or null at the end.
  @Nullable ByteBuf next();

  /// The first `length` bytes of the pattern.
  static ResponseBody pattern(long length) {
    return new ResponseBody() {
      private long offset;

      @Override
      public @Nullable ByteBuf next() {
        if (offset == length) {
          return null;
        }
        ByteBuf piece = BodyPattern.slice(offset, (int) Math.min(PIECE_BYTES, length - offset));
        offset += piece.readableBytes();
        return piece;
      }
    };
  }
}
