package io.penstock.agent.plugin.http;

import io.penstock.codec.session.Clock;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The connections to one system, on the event loop: at most so many, kept open while they are
/// used, and a bounded line of exchanges that wait for one.
///
/// Invariants: `open` counts what is connected or connecting; as long as an exchange waits, either
/// a connection is being opened for it or there are as many as allowed.
final class Pool {
  private final Connector connector;
  private final HttpSettings settings;
  private final Clock clock;
  private final ArrayDeque<Connection> idle = new ArrayDeque<>();
  private final ArrayDeque<HttpExchange> waiting = new ArrayDeque<>();
  private int open;
  private int connecting;
  private boolean closed;

  Pool(Connector connector, HttpSettings settings, Clock clock) {
    this.connector = connector;
    this.settings = settings;
    this.clock = clock;
  }

  /// Gives `exchange` a connection, now or later. False: the line is full.
  boolean acquire(HttpExchange exchange) {
    Connection ready = newestIdle();
    if (ready != null) {
      exchange.connected(ready, true);
      return true;
    }
    boolean full = open >= settings.maxConnections();
    if (full && waiting.size() - connecting >= settings.maxWaiting()) {
      return false;
    }
    waiting.add(exchange);
    connectForWaiting();
    return true;
  }

  /// Gives `exchange` a connection that nobody has used, because a used one had gone stale.
  void acquireFresh(HttpExchange exchange) {
    waiting.addFirst(exchange);
    connectForWaiting();
  }

  /// `exchange` does not wait any more.
  void cancel(HttpExchange exchange) {
    waiting.remove(exchange);
  }

  private @Nullable Connection newestIdle() {
    for (Connection next = idle.pollLast(); next != null; next = idle.pollLast()) {
      if (next.isUsable()) {
        return next;
      }
    }
    return null;
  }

  private void connectForWaiting() {
    while (connecting < waiting.size() && open < settings.maxConnections()) {
      open++;
      connecting++;
      connector.connect(this, new Asked());
    }
  }

  /// One connection under way. It serves whoever is first in the line when it stands.
  private final class Asked implements Connector.Asker {
    @Override
    public void connected(Connection connection) {
      connecting--;
      connection.stands();
      HttpExchange first = waiting.poll();
      if (first == null) {
        release(connection);
      } else {
        first.connected(connection, false);
      }
    }

    @Override
    public void failed(String why) {
      open--;
      connecting--;
      // Whoever asked for it may have gone; the others have attempts of their own.
      HttpExchange first = waiting.size() > connecting ? waiting.poll() : null;
      if (first != null) {
        first.connectFailed(why);
      }
      connectForWaiting();
    }
  }

  /// The connection may be used again.
  void release(Connection connection) {
    HttpExchange next = firstThatTakesUsed();
    if (next != null) {
      next.connected(connection, true);
    } else if (closed) {
      connection.close();
    } else {
      connection.idleSince(clock.nanoTime());
      idle.addLast(connection);
    }
  }

  private @Nullable HttpExchange firstThatTakesUsed() {
    for (Iterator<HttpExchange> line = waiting.iterator(); line.hasNext(); ) {
      HttpExchange next = line.next();
      if (!next.needsFreshConnection()) {
        line.remove();
        return next;
      }
    }
    return null;
  }

  /// A connection that once stood is gone.
  void gone(Connection connection) {
    open--;
    idle.remove(connection);
    connectForWaiting();
  }

  /// Closes what nobody used for a while.
  void sweep(long nowNanos) {
    long keepNanos = TimeUnit.MILLISECONDS.toNanos(settings.keepAliveMs());
    while (!idle.isEmpty() && nowNanos - idle.getFirst().idleSince() >= keepNanos) {
      idle.removeFirst().close();
    }
  }

  boolean hasIdle() {
    return !idle.isEmpty();
  }

  /// Running exchanges finish; nothing is kept.
  void close() {
    closed = true;
    while (!idle.isEmpty()) {
      idle.removeFirst().close();
    }
  }
}
