package io.penstock.broker.tunnel;

import io.netty.channel.EventLoop;
import io.penstock.codec.session.Worker;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Where Noise is computed: a thread per core, away from the event loops, so that a storm of
/// connects never holds up live tunnels. Each handshake has at most one task here; the bound on
/// handshakes, with room for fresh handshakes inside sessions, is the queue's bound. Beyond it a
/// task is rejected and its tunnel ends.
final class HandshakeWorkers implements AutoCloseable {
  private static final int FRESH_HANDSHAKES = 4_096;

  private final ThreadPoolExecutor threads;

  HandshakeWorkers(int handshakes) {
    int cores = Runtime.getRuntime().availableProcessors();
    threads =
        new ThreadPoolExecutor(
            cores,
            cores,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(handshakes + FRESH_HANDSHAKES),
            Thread.ofPlatform().name("handshake-", 0).daemon().factory());
    threads.allowCoreThreadTimeOut(true);
  }

  void execute(Runnable task) {
    threads.execute(task);
  }

  /// For the sessions of one event loop.
  Worker returningTo(EventLoop loop) {
    return work ->
        threads.execute(
            () -> {
              Runnable outcome = work.get();
              loop.execute(outcome);
            });
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
