package io.penstock.broker.store;

import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hears what is announced on one channel, over a connection of its own: none of the pool may wait
/// idle for it. A connection that is lost is replaced; what was announced in between is lost, so
/// whoever listens is told, and looks for himself.
public final class Hints implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Hints.class);
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final Duration TRY_AGAIN = Duration.ofSeconds(1);
  private static final Duration CHECK = Duration.ofSeconds(10);

  private final Vertx vertx;
  private final Supplier<DatabaseAddress> address;
  private final String channel;
  private final Consumer<String> heard;
  private final Runnable listening;
  private final CountDownLatch closing = new CountDownLatch(1);

  /// @param address asked at every new connection
  /// @param heard gets each payload; called on an event loop, must not block
  /// @param listening from now on nothing is missed; called on a virtual thread
  public Hints(
      Vertx vertx,
      Supplier<DatabaseAddress> address,
      String channel,
      Consumer<String> heard,
      Runnable listening) {
    this.vertx = vertx;
    this.address = address;
    this.channel = channel;
    this.heard = heard;
    this.listening = listening;
  }

  public void start() {
    Thread.ofVirtual().name("hints-" + channel).start(this::work);
  }

  private void work() {
    try {
      do {
        listen();
      } while (!closing.await(TRY_AGAIN.toNanos(), TimeUnit.NANOSECONDS));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Until the connection is lost or nobody wants to hear any more.
  private void listen() throws InterruptedException {
    PgConnection connection;
    try {
      connection = connect();
    } catch (StoreUnavailableException away) {
      LOG.debug("cannot listen on {}: {}", channel, away.getMessage());
      return;
    }
    var lost = new CompletableFuture<Void>();
    connection.closeHandler(_ -> lost.complete(null));
    connection.notificationHandler(notification -> heard.accept(notification.getPayload()));
    try {
      new Waiting(CONNECT).on(connection.query("listen " + channel).execute());
      listening.run();
      while (!isOver(lost)) {
        // A host that vanished says nothing at all.
        new Waiting(CONNECT).on(connection.query("select 1").execute());
      }
    } catch (StoreUnavailableException away) {
      LOG.debug("the connection that listens on {} is lost: {}", channel, away.getMessage());
    } finally {
      connection.close();
    }
  }

  private PgConnection connect() {
    return new Waiting(CONNECT).on(PgConnection.connect(vertx, address.get().clientOptions()));
  }

  private boolean isOver(CompletableFuture<Void> lost) throws InterruptedException {
    try {
      lost.get(CHECK.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException _) {
      return closing.getCount() == 0;
    } catch (java.util.concurrent.ExecutionException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void close() {
    closing.countDown();
  }
}
