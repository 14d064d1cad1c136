package io.penstock.broker.agents;

import java.util.concurrent.atomic.AtomicLong;

/// Counts decisions that take something away: approvals of a newer generation, quarantines,
/// revocations. An admission that saw one pass while it was under way looks at its agent again, so
/// that no session slips in between the decision and the closing of sessions.
final class Upheavals {
  private final AtomicLong count = new AtomicLong();

  long count() {
    return count.get();
  }

  void happened() {
    count.incrementAndGet();
  }
}
