package io.penstock.broker.tunnel;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;

/// Who waits for the answer to a PING, at most 16. On the session's event loop.
final class Probes {
  private static final int CAPACITY = 16;

  private final ArrayDeque<CompletableFuture<Boolean>> waiting = new ArrayDeque<>(1);

  /// False when too many wait.
  boolean add(CompletableFuture<Boolean> probe) {
    waiting.removeIf(CompletableFuture::isDone);
    return waiting.size() < CAPACITY && waiting.add(probe);
  }

  /// All have their answer.
  void complete(boolean answered) {
    waiting.forEach(probe -> probe.complete(answered));
    waiting.clear();
  }
}
