package io.penstock.loadtest.fleet;

import java.util.concurrent.atomic.LongAdder;

/// What all agents of a fleet did so far. Written by event loops, read by anybody.
public final class FleetCounters {
  final LongAdder admitted = new LongAdder();
  final LongAdder messages = new LongAdder();
  final LongAdder receipts = new LongAdder();
  final LongAdder failures = new LongAdder();

  /// Sessions that were admitted.
  public long admitted() {
    return admitted.sum();
  }

  /// Messages that came, repetitions included.
  public long messages() {
    return messages.sum();
  }

  /// Answers to messages that were handed to their session.
  public long receipts() {
    return receipts.sum();
  }

  /// Connections that ended otherwise than by [Fleet#close].
  public long failures() {
    return failures.sum();
  }

  @Override
  public String toString() {
    return "%d sessions admitted, %d messages, %d receipts, %d failed connections"
        .formatted(admitted(), messages(), receipts(), failures());
  }
}
