package io.penstock.agent.link;

import java.util.concurrent.atomic.AtomicLong;

/// Figures of all sessions that ever were.
final class SessionCounters {
  private final SingleWriterCounter streams = new SingleWriterCounter();
  private final AtomicLong bytesIn = new AtomicLong();
  private final AtomicLong bytesOut = new AtomicLong();

  void streamOpened() {
    streams.add(1);
  }

  /// Of a session that ended.
  void add(long in, long out) {
    bytesIn.addAndGet(in);
    bytesOut.addAndGet(out);
  }

  long streams() {
    return streams.get();
  }

  long bytesIn() {
    return bytesIn.get();
  }

  long bytesOut() {
    return bytesOut.get();
  }
}
