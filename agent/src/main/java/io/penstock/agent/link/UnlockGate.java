package io.penstock.agent.link;

import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/// Keeps dials and the rotation of the unlock secret apart: many may dial at once, a rotation is
/// alone.
final class UnlockGate {
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);

  /// Held from the choice of the dev key until ADMITTED.
  Lock dialing() {
    return lock.readLock();
  }

  /// Held from UNLOCK_NEXT until UNLOCK_COMMIT.
  Lock rotating() {
    return lock.writeLock();
  }
}
