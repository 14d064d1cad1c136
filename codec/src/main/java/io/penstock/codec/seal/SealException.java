package io.penstock.codec.seal;

/// A document or seal that does not hold: forged, truncated, for another purpose, or out of its
/// time. The message is fixed text plus sizes and names of fields, never a byte of the input or of
/// a key, so it may be logged.
public final class SealException extends RuntimeException {
  public SealException(String message) {
    super(message);
  }

  public SealException(String message, Throwable cause) {
    super(message, cause);
  }
}
