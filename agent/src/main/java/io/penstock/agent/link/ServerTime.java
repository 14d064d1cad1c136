package io.penstock.agent.link;

import java.time.Instant;

/// The broker's clock, as a handshake told it: an agent's own may be years off.
///
/// @param epochMs what it showed
/// @param atNanos when it came, by the monotonic clock
record ServerTime(long epochMs, long atNanos) {
  Instant now() {
    return Instant.ofEpochMilli(epochMs).plusNanos(System.nanoTime() - atNanos);
  }
}
