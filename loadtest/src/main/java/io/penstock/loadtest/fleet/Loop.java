package io.penstock.loadtest.fleet;

import io.netty.channel.EventLoop;
import io.penstock.codec.Protocol;
import io.penstock.codec.mux.CreditPool;
import io.penstock.codec.session.Scratch;

/// One event loop, and what the sessions on it share.
final class Loop {
  private final EventLoop eventLoop;
  private final Scratch scratch = new Scratch();
  private final CreditPool creditPool = new CreditPool(16L * Protocol.MAX_CREDIT_BYTES);

  Loop(EventLoop eventLoop) {
    this.eventLoop = eventLoop;
  }

  EventLoop eventLoop() {
    return eventLoop;
  }

  Scratch scratch() {
    return scratch;
  }

  CreditPool creditPool() {
    return creditPool;
  }

  void execute(Runnable task) {
    eventLoop.execute(task);
  }
}
