package io.penstock.loadtest.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;

/// How far a load is, for people who watch. Written by event loops, read by anybody.
public final class Progress {
  final LongAdder started = new LongAdder();
  final LongAdder answered = new LongAdder();
  final LongAdder failed = new LongAdder();
  final CompletableFuture<Void> begun = new CompletableFuture<>();

  /// Completes when all connections are open, or have failed to, and the load begins.
  public CompletableFuture<Void> begun() {
    return begun;
  }

  public long started() {
    return started.sum();
  }

  public long answered() {
    return answered.sum();
  }

  public long failed() {
    return failed.sum();
  }
}
