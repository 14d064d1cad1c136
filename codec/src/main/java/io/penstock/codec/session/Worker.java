package io.penstock.codec.session;

import java.util.function.Supplier;

/// Runs slow work away from the event loop and its outcome on it again.
@FunctionalInterface
public interface Worker {
  /// Runs `work` elsewhere, then what it returned on the session's event loop.
  void run(Supplier<Runnable> work);
}
