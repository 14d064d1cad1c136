package io.penstock.agent.plugin.http;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/// The keep-alive connections to one system. On the event loop.
///
/// The connection used last is used next, so that those nobody needs grow old and are closed. At
/// most `maxConnections` are open; calls beyond that wait, at most `maxWaiting` of them.
final class ConnectionPool {
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final HttpSettings settings;
  private final Connector connector;
  private final EventLoop loop;
  private final DeadlineSweep clock;

  /// Newest first.
  private final ArrayDeque<SystemConnection> idle = new ArrayDeque<>();

  private final ArrayDeque<HttpExchange> waiting = new ArrayDeque<>();
  private int open;
  private boolean expiryScheduled;
  private boolean closed;

  ConnectionPool(HttpSettings settings, Connector connector, EventLoop loop, DeadlineSweep clock) {
    this.settings = settings;
    this.connector = connector;
    this.loop = loop;
    this.clock = clock;
  }

  int open() {
    return open;
  }

  int idle() {
    return idle.size();
  }

  /// Answers by [HttpExchange#connected], perhaps at once, [HttpExchange#connectFailed] or
  /// [HttpExchange#noConnection].
  void acquire(HttpExchange exchange) {
    SystemConnection connection = idle.pollFirst();
    if (connection != null) {
      connection.serve(exchange, true);
    } else if (open < settings.maxConnections()) {
      connect(exchange);
    } else if (waiting.size() < settings.maxWaiting()) {
      waiting.add(exchange);
    } else {
      exchange.noConnection();
    }
  }

  /// For a call whose pooled connection turned out to be closed: its place is taken by a new one.
  void connect(HttpExchange exchange) {
    open++;
    var connection = new SystemConnection(this, loop);
    exchange.connecting(connection);
    connection.reserve(exchange);
    connector.connect(connection);
  }

  /// The call waits no longer.
  void cancel(HttpExchange exchange) {
    waiting.remove(exchange);
  }

  /// An answer has ended, and the connection may carry another.
  void release(SystemConnection connection) {
    HttpExchange next = waiting.poll();
    if (next != null) {
      connection.serve(next, true);
    } else if (closed) {
      connection.close();
    } else {
      connection.idleSinceNanos = clock.nowNanos();
      idle.addFirst(connection);
      expireLater(IDLE_NANOS);
    }
  }

  /// The connection is closed, or never came to stand. Once per connection.
  void removed(SystemConnection connection) {
    open--;
    idle.remove(connection);
    HttpExchange next = open < settings.maxConnections() ? waiting.poll() : null;
    if (next != null) {
      connect(next);
    }
  }

  void close() {
    closed = true;
    // Each takes itself out of `idle`.
    for (SystemConnection connection : idle.toArray(new SystemConnection[0])) {
      connection.close();
    }
  }

  private void expireLater(long delayNanos) {
    if (!expiryScheduled) {
      expiryScheduled = true;
      var _ = loop.schedule(this::expire, delayNanos, TimeUnit.NANOSECONDS);
    }
  }

  private void expire() {
    expiryScheduled = false;
    long now = clock.nowNanos();
    SystemConnection oldest = idle.peekLast();
    while (oldest != null && now - oldest.idleSinceNanos >= IDLE_NANOS) {
      idle.removeLast();
      oldest.close();
      oldest = idle.peekLast();
    }
    if (oldest != null) {
      expireLater(IDLE_NANOS - (now - oldest.idleSinceNanos));
    }
  }
}
