package io.penstock.broker.store;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Transaction;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The pool of connections, and straight-line transactions on it.
///
/// [#transaction] blocks, so it is called on virtual threads (Vert.x's or plain ones) and never on
/// an event loop: that is refused. Every transaction has one deadline for all its waiting; past it
/// the caller gets [StoreUnavailableException] and the connection goes back to the pool only once
/// Postgres has answered what was left on it.
public final class Database implements AutoCloseable {
  private static final int MAX_WAITING = 1000;
  private static final int ATTEMPTS = 5;

  /// Serialization failure and deadlock: everything was rolled back.
  private static final Set<String> CLASHES = Set.of("40001", "40P01");

  private static final Logger LOG = LoggerFactory.getLogger(Database.class);

  private final Pool pool;
  private final Duration deadline;
  private final AtomicInteger queued = new AtomicInteger();
  private final AtomicInteger inUse = new AtomicInteger();

  private Database(Pool pool, Duration deadline) {
    this.pool = pool;
    this.deadline = deadline;
  }

  /// `address` is asked at every new connection, because the embedded server may come back on
  /// another port.
  public static Database connect(
      Vertx vertx, Supplier<DatabaseAddress> address, int poolSize, Duration deadline) {
    var poolOptions =
        new PoolOptions()
            .setMaxSize(poolSize)
            .setMaxWaitQueueSize(MAX_WAITING)
            // None: the pool's timer may end a wait that is over, whose connection is then lost
            // (vert.x issue 6169). Our own deadline ends every wait, and a connection that comes
            // later goes straight back.
            .setConnectionTimeout(0)
            .setIdleTimeout(300)
            .setIdleTimeoutUnit(TimeUnit.SECONDS);
    // A database host that vanished answers nothing at all: the kernel gives up on unacknowledged
    // data.
    var net =
        new NetClientOptions()
            .setConnectTimeout(5000)
            .setTcpKeepAlive(true)
            .setTcpUserTimeout(15_000);
    Pool pool =
        PgBuilder.pool()
            .with(poolOptions)
            .with(net)
            .connectingTo(() -> Future.succeededFuture(address.get().clientOptions()))
            .using(vertx)
            .build();
    return new Database(pool, deadline);
  }

  /// Runs `work` in one transaction and answers what it returns. Whatever it throws rolls
  /// everything back.
  public <T> T transaction(Function<Tx, T> work) {
    return transaction(deadline, work);
  }

  /// [#transaction] for somebody who has less time than others.
  public <T> T within(Duration limit, Function<Tx, T> work) {
    return transaction(limit.compareTo(deadline) < 0 ? limit : deadline, work);
  }

  /// [#transaction] for what is known to take long, such as a backup.
  public <T> T lasting(Duration limit, Function<Tx, T> work) {
    return transaction(limit, work);
  }

  /// [#transaction] whose `work` has no effect but through its [Tx], so that all of it may run
  /// again: after a deadlock or a serialization failure it does, a few times and a random moment
  /// later.
  public <T> T repeatable(Function<Tx, T> work) {
    for (int attempt = 1; ; attempt++) {
      try {
        return transaction(work);
      } catch (PgException clash) {
        if (attempt == ATTEMPTS || !CLASHES.contains(String.valueOf(clash.getSqlState()))) {
          throw clash;
        }
      }
      pause(attempt);
    }
  }

  private static void pause(int attempt) {
    try {
      Thread.sleep(ThreadLocalRandom.current().nextLong(1, 20L * attempt + 1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreUnavailableException("interrupted while waiting for Postgres", e);
    }
  }

  private <T> T transaction(Duration limit, Function<Tx, T> work) {
    var waiting = new Waiting(limit);
    SqlConnection connection = lease(waiting);
    Future<Transaction> begun = connection.begin();
    inUse.incrementAndGet();
    var ending = new Ending(connection, connection.transaction(), inUse);
    var tx = new Tx(connection, begun, waiting);
    T result;
    try {
      result = work.apply(tx);
      tx.audit().send();
      // The commit leaves as soon as the statements are answered, without a turn of this thread.
      Future<Void> committed = ending.commit();
      tx.awaitAll();
      waiting.on(committed);
    } catch (RuntimeException | Error e) {
      ending.rollback();
      try {
        tx.runWhenOver();
      } catch (RuntimeException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    try {
      tx.runAfterCommit();
    } finally {
      tx.runWhenOver();
    }
    return result;
  }

  /// [#transaction] for work that answers nothing.
  public void run(Consumer<Tx> work) {
    transaction(
        tx -> {
          work.accept(tx);
          return true;
        });
  }

  /// The pool at this moment.
  ///
  /// @param connections open ones
  /// @param inUse of transactions that run
  /// @param waiting transactions that wait for one
  public record Usage(int connections, int inUse, int waiting) {}

  public Usage usage() {
    return new Usage(pool.size(), inUse.get(), queued.get());
  }

  /// Whether Postgres answers within `limit`; for the readiness probe.
  public boolean answers(Duration limit) {
    try {
      var waiting = new Waiting(limit);
      return waiting.on(pool.query("select 1").execute()).size() == 1;
    } catch (StoreUnavailableException _) {
      return false;
    }
  }

  /// A connection that arrives after the caller gave up goes straight back.
  private SqlConnection lease(Waiting waiting) {
    requireMayBlock();
    Future<SqlConnection> leased = pool.getConnection();
    queued.incrementAndGet();
    try {
      return waiting.on(leased);
    } catch (StoreUnavailableException e) {
      leased.onSuccess(SqlConnection::close);
      throw e;
    } finally {
      queued.decrementAndGet();
    }
  }

  private static void requireMayBlock() {
    if (Context.isOnEventLoopThread()) {
      throw new IllegalStateException("a database transaction would block an event loop");
    }
  }

  /// Connections that have not ended within the deadline end with the process: who stops has
  /// nothing to lose by a Postgres that does not answer.
  @Override
  public void close() {
    try {
      new Waiting(deadline).on(pool.close());
    } catch (StoreUnavailableException late) {
      LOG.warn("connections are still open: {}", late.getMessage());
    }
  }

  /// Gives one connection back exactly once, after what was sent on it has been answered.
  private static final class Ending {
    private final SqlConnection connection;
    private final Transaction transaction;
    private final AtomicInteger inUse;
    private boolean committing;

    Ending(SqlConnection connection, Transaction transaction, AtomicInteger inUse) {
      this.connection = connection;
      this.transaction = transaction;
      this.inUse = inUse;
    }

    Future<Void> commit() {
      committing = true;
      return transaction.commit().onComplete(_ -> giveBack());
    }

    /// Also of a commit that still waits for statements to be answered; one that has left goes on.
    void rollback() {
      Future<Void> undone = transaction.rollback();
      if (!committing) {
        undone.onComplete(_ -> giveBack());
      }
    }

    private void giveBack() {
      inUse.decrementAndGet();
      connection.close();
    }
  }
}
