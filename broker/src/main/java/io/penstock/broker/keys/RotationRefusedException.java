package io.penstock.broker.keys;

/// A rotation or retirement that would strand something; the message says what.
public final class RotationRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public RotationRefusedException(String message) {
    super(message);
  }
}
