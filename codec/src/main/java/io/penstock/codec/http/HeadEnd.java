package io.penstock.codec.http;

import io.netty.buffer.ByteBuf;

/// Finds where a head ends while its bytes trickle in, looking at no byte twice. Positions count
/// from the reader index, so the buffer may be compacted between two calls. One per connection,
/// used by the thread that reads it.
public final class HeadEnd {

  /// How far the search has come.
  public enum Progress {
    /// More bytes are needed.
    INCOMPLETE,
    /// [#length()] is known.
    COMPLETE,
    /// A line feed without a carriage return: no reader agrees with another on what follows, so
    /// nothing is waited for.
    BARE_LINE_END,
    /// The limit was reached first.
    TOO_LARGE
  }

  private final int maxBytes;
  private int searched;
  private int lineStart;

  public HeadEnd(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  /// Bytes of the complete head, with its empty line.
  public int length() {
    return searched;
  }

  /// A new head begins at the reader index.
  public void reset() {
    searched = 0;
    lineStart = 0;
  }

  public Progress search(ByteBuf buffer) {
    int base = buffer.readerIndex();
    int available = Math.min(buffer.readableBytes(), maxBytes);
    while (searched < available) {
      int lineFeed = buffer.indexOf(base + searched, base + available, Octets.LF);
      if (lineFeed < 0) {
        searched = available;
        break;
      }
      int lineBytes = lineFeed - base - lineStart;
      if (lineBytes == 0 || buffer.getByte(lineFeed - 1) != Octets.CR) {
        return Progress.BARE_LINE_END;
      }
      searched = lineFeed - base + 1;
      lineStart = searched;
      if (lineBytes == 1) {
        return Progress.COMPLETE;
      }
    }
    return buffer.readableBytes() >= maxBytes ? Progress.TOO_LARGE : Progress.INCOMPLETE;
  }
}
