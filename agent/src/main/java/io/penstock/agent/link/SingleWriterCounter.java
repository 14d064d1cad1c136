package io.penstock.agent.link;

import java.util.concurrent.atomic.AtomicLong;

/// Counts on the event loop, for anybody to read; without the price of an atomic addition.
final class SingleWriterCounter {
  private final AtomicLong value = new AtomicLong();

  void add(long amount) {
    value.setRelease(value.getPlain() + amount);
  }

  long get() {
    return value.getAcquire();
  }
}
