package io.penstock.codec.http;

/// What the gate says of one head.
public sealed interface Verdict {

  /// The head has one reading, and this is where its body ends.
  record Accepted(Framing framing) implements Verdict {}

  /// The head must not travel on; the connection it came on is of no further use.
  record Refused(Refusal refusal) implements Verdict {}
}
