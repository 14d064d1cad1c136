package io.penstock.agent.identity;

/// An identity that cannot be used: its file is damaged, its seal does not open, or what the broker
/// shows does not hold. The message is fit to be logged: it never holds a secret or a peer's bytes.
public final class IdentityException extends Exception {
  public IdentityException(String message) {
    super(message);
  }
}
