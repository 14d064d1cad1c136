package io.penstock.codec.http;

import io.netty.buffer.ByteBuf;
import java.util.Optional;

/// The framing of one chunked body (RFC 9112 section 7.1), followed byte by byte ahead of the
/// parser; chunk data is jumped over. Accepted is
///
/// ```
/// *( 1*8HEXDIG [ext] CRLF data CRLF ) 1*8"0" [ext] CRLF *( token ":" value CRLF ) CRLF
/// ext = *( ";" token [ "=" token ] )
/// ```
///
/// without a blank, a quoted string or a bare line feed anywhere in a chunk line. One per
/// connection, used by the thread that reads it.
public final class ChunkGate {

  private enum Place {
    SIZE,
    EXTENSION_NAME,
    EXTENSION_VALUE,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    DONE,
    BROKEN
  }

  private static final int MAX_SIZE_DIGITS = 8;

  private final HeadLimits limits;
  private final byte[] trailerName = new byte[KnownField.LONGEST];

  private Place place = Place.SIZE;
  private long size;
  private int sizeDigits;
  private int lineBytes;
  private int tokenBytes;
  private int trailerBytes;
  private int trailerHash;
  private Refusal fault = Refusal.BAD_CHUNK_SIZE;

  public ChunkGate(HeadLimits limits) {
    this.limits = limits;
  }

  /// A new body begins.
  public void reset() {
    place = Place.SIZE;
    size = 0;
    sizeDigits = 0;
    lineBytes = 0;
    trailerBytes = 0;
  }

  /// The body's last line has been followed to its end.
  public boolean isDone() {
    return place == Place.DONE;
  }

  /// Why the body cannot be read on, once it cannot.
  public Optional<Refusal> fault() {
    return place == Place.BROKEN ? Optional.of(fault) : Optional.empty();
  }

  /// Follows the bytes `[from, to)` of `buffer` and returns where it stopped: `to`, the body's end,
  /// or the byte at fault.
  public int follow(ByteBuf buffer, int from, int to) {
    int at = from;
    while (at < to && place != Place.DONE && place != Place.BROKEN) {
      if (place == Place.DATA) {
        int jump = (int) Math.min(size, to - at);
        at += jump;
        size -= jump;
        if (size == 0) {
          place = Place.DATA_CR;
        }
      } else {
        place = next(buffer.getByte(at++));
      }
    }
    return at;
  }

  private Place next(byte b) {
    return switch (place) {
      case SIZE -> inLine(inSize(b));
      case EXTENSION_NAME, EXTENSION_VALUE -> inLine(inExtension(b));
      case SIZE_LF -> b == Octets.LF ? afterSizeLine() : broken(Refusal.BAD_CHUNK_SIZE);
      case DATA_CR -> b == Octets.CR ? Place.DATA_LF : broken(Refusal.BAD_CHUNK_END);
      case DATA_LF -> b == Octets.LF ? nextChunk() : broken(Refusal.BAD_CHUNK_END);
      case TRAILER_START -> inTrailers(b == Octets.CR ? Place.LAST_LF : startTrailer(b));
      case TRAILER_NAME -> inTrailers(inTrailerName(b));
      case TRAILER_VALUE -> inTrailers(inTrailerValue(b));
      case TRAILER_LF ->
          inTrailers(b == Octets.LF ? Place.TRAILER_START : broken(Refusal.BAD_TRAILER));
      case LAST_LF -> b == Octets.LF ? Place.DONE : broken(Refusal.BAD_TRAILER);
      case DATA, DONE, BROKEN ->
          throw new IllegalStateException("no byte is looked at in " + place);
    };
  }

  private Place broken(Refusal why) {
    fault = why;
    return Place.BROKEN;
  }

  private Place inLine(Place next) {
    return ++lineBytes > limits.chunkLineBytes() ? broken(Refusal.CHUNK_LINE_TOO_LONG) : next;
  }

  private Place inSize(byte b) {
    int digit = Octets.hex(b);
    if (digit >= 0) {
      size = size << 4 | digit;
      // More digits, even zeros, overflow some reader's number before the value does.
      return ++sizeDigits > MAX_SIZE_DIGITS || size > Integer.MAX_VALUE
          ? broken(Refusal.BAD_CHUNK_SIZE)
          : Place.SIZE;
    }
    if (sizeDigits == 0) {
      return broken(Refusal.BAD_CHUNK_SIZE);
    }
    return endOfSizeOrExtension(b, Refusal.BAD_CHUNK_SIZE);
  }

  private Place inExtension(byte b) {
    if (Octets.isToken(b)) {
      tokenBytes++;
      return place;
    }
    if (tokenBytes == 0) {
      return broken(Refusal.BAD_CHUNK_EXTENSION);
    }
    if (b == '=' && place == Place.EXTENSION_NAME) {
      tokenBytes = 0;
      return Place.EXTENSION_VALUE;
    }
    return endOfSizeOrExtension(b, Refusal.BAD_CHUNK_EXTENSION);
  }

  private Place endOfSizeOrExtension(byte b, Refusal otherwise) {
    if (b == Octets.CR) {
      return Place.SIZE_LF;
    }
    if (b == ';') {
      tokenBytes = 0;
      return Place.EXTENSION_NAME;
    }
    return broken(otherwise);
  }

  private Place afterSizeLine() {
    return size == 0 ? Place.TRAILER_START : Place.DATA;
  }

  private Place nextChunk() {
    size = 0;
    sizeDigits = 0;
    lineBytes = 0;
    return Place.SIZE;
  }

  private Place inTrailers(Place next) {
    return ++trailerBytes > limits.trailerBytes() ? broken(Refusal.TRAILERS_TOO_LARGE) : next;
  }

  private Place startTrailer(byte b) {
    tokenBytes = 0;
    trailerHash = 0;
    return inTrailerName(b);
  }

  private Place inTrailerName(byte b) {
    byte folded = Octets.fold(b);
    if (folded == 0) {
      return b == ':' && tokenBytes > 0 ? afterTrailerName() : broken(Refusal.BAD_TRAILER);
    }
    if (folded == Octets.PUNCTUATION) {
      folded = '-';
    }
    trailerHash = KnownField.hash(trailerHash, folded);
    if (tokenBytes < trailerName.length) {
      trailerName[tokenBytes] = b;
    }
    tokenBytes++;
    return Place.TRAILER_NAME;
  }

  /// Every known name is forbidden here, and so are ours: a reader that merges trailers into the
  /// head must gain nothing.
  private Place afterTrailerName() {
    int stored = Math.min(tokenBytes, trailerName.length);
    boolean known =
        tokenBytes <= trailerName.length
            && KnownField.find(trailerName, 0, stored, trailerHash) != KnownField.OTHER;
    boolean forbidden = known || KnownField.resemblesOurs(trailerName, 0, stored);
    return forbidden ? broken(Refusal.FORBIDDEN_TRAILER) : Place.TRAILER_VALUE;
  }

  private Place inTrailerValue(byte b) {
    if (Octets.isFieldByte(b)) {
      return Place.TRAILER_VALUE;
    }
    return b == Octets.CR ? Place.TRAILER_LF : broken(Refusal.BAD_TRAILER);
  }
}
