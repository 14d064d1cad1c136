package io.penstock.broker.delivery;

import java.util.Optional;

/// A message as it goes out.
///
/// @param body CBOR of the delivery message
/// @param headAhead the head manifest that would make the body too large
record Letter(long sequence, byte[] body, Optional<String> headAhead) {
  int bytes() {
    return body.length;
  }
}
