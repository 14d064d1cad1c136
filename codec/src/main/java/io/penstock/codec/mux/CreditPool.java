package io.penstock.codec.mux;

import java.util.concurrent.atomic.AtomicLong;

/// The memory that all sessions of a process may promise to their peers beyond each stream's
/// initial credit (`docs/protocol.md`, section 5).
/// Thread-safe. When it is spent, streams go on with what they have.
public final class CreditPool {
  private final AtomicLong freeBytes;

  public CreditPool(long bytes) {
    freeBytes = new AtomicLong(bytes);
  }

  public long freeBytes() {
    return freeBytes.get();
  }

  /// All of `bytes` or nothing.
  boolean take(int bytes) {
    long free = freeBytes.get();
    while (free >= bytes) {
      if (freeBytes.compareAndSet(free, free - bytes)) {
        return true;
      }
      free = freeBytes.get();
    }
    return false;
  }

  void giveBack(int bytes) {
    freeBytes.addAndGet(bytes);
  }
}
