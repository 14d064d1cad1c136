package io.penstock.broker.measure;

/// A question about more rows than one answer may cost; a shorter time or one agent costs less.
public final class TooMuchException extends RuntimeException {
  TooMuchException() {
    super("the question is about too many rows", null, false, false);
  }
}
