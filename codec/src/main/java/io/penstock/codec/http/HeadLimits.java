package io.penstock.codec.http;

/// How much of a message that is not body is read before it is refused. Each field bounds memory
/// that a stranger can make us hold.
public record HeadLimits(int headBytes, int fields, int chunkLineBytes, int trailerBytes) {

  /// The protocol's 32 KiB for a head (protocol, "Frames").
  public static final HeadLimits DEFAULT = new HeadLimits(32 * 1024, 200, 256, 8 * 1024);

  public HeadLimits {
    if (headBytes <= 0 || fields <= 0 || chunkLineBytes <= 0 || trailerBytes <= 0) {
      throw new IllegalArgumentException("limits must be positive");
    }
  }

  public HeadLimits withHeadBytes(int bytes) {
    return new HeadLimits(bytes, fields, chunkLineBytes, trailerBytes);
  }
}
