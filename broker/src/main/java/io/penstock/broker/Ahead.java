package io.penstock.broker;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/// A part of the start that is made on a thread of its own, while the parts that do not need it are
/// made on theirs.
final class Ahead<T> {
  private final FutureTask<T> task;

  private Ahead(FutureTask<T> task) {
    this.task = task;
  }

  static <T> Ahead<T> of(String name, Supplier<T> work) {
    var task = new FutureTask<T>(work::get);
    Thread.ofPlatform().daemon().name("start-" + name).start(task);
    return new Ahead<>(task);
  }

  /// Waits for it. What it threw is thrown here, as if it were made here.
  T get() {
    try {
      return task.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while starting", stopped);
    }
  }
}
