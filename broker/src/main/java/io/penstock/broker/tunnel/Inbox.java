package io.penstock.broker.tunnel;

import io.penstock.codec.message.ControlMessage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Control messages on their way from a tunnel's event loop to the thread that speaks for the
/// authority. Holds 16; a peer that says more ends its session.
final class Inbox {
  private static final int CAPACITY = 16;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<ControlMessage> messages = new ArrayDeque<>(4);
  private boolean closed;

  /// False when it is full. Never waits.
  boolean offer(ControlMessage message) {
    lock.lock();
    try {
      if (messages.size() == CAPACITY) {
        return false;
      }
      messages.add(message);
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// The next message; empty when none came in time or none can come.
  Optional<ControlMessage> take(Duration within) throws InterruptedException {
    long left = within.toNanos();
    lock.lock();
    try {
      while (messages.isEmpty() && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      return Optional.ofNullable(messages.poll());
    } finally {
      lock.unlock();
    }
  }

  /// True when the tunnel is closed.
  boolean awaitClosed(Duration within) throws InterruptedException {
    long left = within.toNanos();
    lock.lock();
    try {
      while (!closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      return closed;
    } finally {
      lock.unlock();
    }
  }
}
