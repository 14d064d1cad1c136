package io.penstock.broker.access;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// One look-up at a time for each key: who asks for the same meanwhile waits for its result. Holds
/// as many keys as there are threads that look something up. Thread-safe; blocks.
final class SharedLookUps<K, V> {
  private final ConcurrentHashMap<K, CompletableFuture<V>> underWay = new ConcurrentHashMap<>();
  private final Duration patience;
  private final Supplier<RuntimeException> tooLate;

  /// @param patience how long to wait for somebody else's look-up
  /// @param tooLate what is thrown then
  SharedLookUps(Duration patience, Supplier<RuntimeException> tooLate) {
    this.patience = patience;
    this.tooLate = tooLate;
  }

  /// What `lookUp` answers or throws, whoever ran it.
  V get(K key, Supplier<V> lookUp) {
    var mine = new CompletableFuture<V>();
    CompletableFuture<V> others = underWay.putIfAbsent(key, mine);
    if (others != null) {
      return awaited(others);
    }
    try {
      V found = lookUp.get();
      mine.complete(found);
      return found;
    } catch (RuntimeException | Error failure) {
      mine.completeExceptionally(failure);
      throw failure;
    } finally {
      underWay.remove(key, mine);
    }
  }

  private V awaited(CompletableFuture<V> others) {
    try {
      return others.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException failed) {
      throw failed.getCause() instanceof RuntimeException cause
          ? cause
          : new IllegalStateException("a look-up failed", failed.getCause());
    } catch (TimeoutException _) {
      throw tooLate.get();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw tooLate.get();
    }
  }
}
