package io.penstock.codec.http;

/// How the end of a body is found (RFC 9112 section 6.3), as decided by the gate.
public sealed interface Framing {

  /// There is no body, whatever fields describe one (answers to HEAD, 204, 304, 1xx).
  record None() implements Framing {}

  /// Exactly this many bytes follow.
  record Length(long bytes) implements Framing {
    public Length {
      if (bytes < 0) {
        throw new IllegalArgumentException("bytes must not be negative: " + bytes);
      }
    }
  }

  /// Chunks follow, held to [ChunkGate].
  record Chunked() implements Framing {}

  /// The body ends with the connection; answers only.
  record UntilClose() implements Framing {}

  Framing NONE = new None();
  Framing CHUNKED = new Chunked();
  Framing UNTIL_CLOSE = new UntilClose();
}
