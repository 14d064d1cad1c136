package io.penstock.broker.edge;

/// What came of looking at a token.
public sealed interface CallerVerdict {

  record Known(Caller caller) implements CallerVerdict {}

  /// Unknown, expired, revoked or disabled: the caller is not told which.
  record Unknown() implements CallerVerdict {}

  /// Too many attempts from here.
  record Limited(int retryAfterSeconds) implements CallerVerdict {}

  /// It could not be found out, because what knows it is away.
  record Unavailable() implements CallerVerdict {}
}
