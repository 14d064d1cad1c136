package io.penstock.broker.edge;

import io.netty.channel.EventLoop;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/// One direction between a caller's connection and a tunnel. Where both live on one event loop it
/// is a call; else a queue, emptied by one task per burst rather than one per message.
///
/// Order is kept. The queue is bounded by what its users may have under way: credit towards the
/// connection, [RequestForwarder]'s window towards the tunnel.
final class Crossing {

  /// Called on the loop that the messages go to.
  interface End {
    void arrived(Object message);
  }

  private final EventLoop to;
  private final boolean sameLoop;
  private final End end;
  private final Queue<Object> queue = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();

  /// @param sameLoop messages come from `to` itself
  Crossing(EventLoop to, boolean sameLoop, End end) {
    this.to = to;
    this.sameLoop = sameLoop;
    this.end = end;
  }

  /// On the loop that the messages come from.
  void post(Object message) {
    if (sameLoop) {
      end.arrived(message);
      return;
    }
    queue.add(message);
    if (scheduled.compareAndSet(false, true)) {
      to.execute(this::drain);
    }
  }

  private void drain() {
    // Cleared first: what is posted from here on is seen below or has a task of its own.
    scheduled.set(false);
    for (Object next = queue.poll(); next != null; next = queue.poll()) {
      end.arrived(next);
    }
  }
}
