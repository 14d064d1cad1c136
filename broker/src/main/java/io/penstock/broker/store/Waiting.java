package io.penstock.broker.store;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.VertxException;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.ClosedConnectionException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Waits for futures of the Postgres client on the calling thread, all within one deadline, and
/// tells an unreachable database from a bug.
final class Waiting {
  private final long endNanos;

  Waiting(Duration limit) {
    this.endNanos = System.nanoTime() + limit.toNanos();
  }

  <T> T on(Future<T> future) {
    long leftNanos = Math.max(0, endNanos - System.nanoTime());
    try {
      return isVertxVirtualThread()
          ? future.await(leftNanos, TimeUnit.NANOSECONDS)
          : future.toCompletionStage().toCompletableFuture().get(leftNanos, TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new StoreUnavailableException("Postgres did not answer in time", e);
    } catch (ExecutionException e) {
      throw translated(e.getCause() == null ? e : e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreUnavailableException("interrupted while waiting for Postgres", e);
    } catch (Exception e) {
      // Future.await throws the failure itself, checked or not.
      throw translated(e);
    }
  }

  private static boolean isVertxVirtualThread() {
    Context context = Vertx.currentContext();
    return context != null
        && context.threadingModel() == ThreadingModel.VIRTUAL_THREAD
        && Thread.currentThread().isVirtual();
  }

  private static RuntimeException translated(Throwable failure) {
    if (isUnavailable(failure)) {
      return new StoreUnavailableException(
          "Postgres cannot be reached: " + named(failure), failure);
    }
    if (failure instanceof Error error) {
      throw error;
    }
    return failure instanceof RuntimeException unchecked
        ? unchecked
        : new IllegalStateException(failure);
  }

  /// Server messages may quote what a statement carried: their state alone is told.
  private static String named(Throwable failure) {
    return failure instanceof PgException postgres
        ? "state " + postgres.getSqlState()
        : failure.getClass().getSimpleName();
  }

  private static boolean isUnavailable(Throwable failure) {
    return switch (failure) {
      case PgException postgres -> isUnavailable(String.valueOf(postgres.getSqlState()));
      case ClosedConnectionException _, IOException _, TimeoutException _ -> true;
      // A pooled connection that Postgres ended, and that the pool has not missed yet.
      case VertxException gone
          when String.valueOf(gone.getMessage()).startsWith("Connection is not active") ->
          true;

      // The pool says "Timeout" and "maximum wait queue size" with exceptions of no type of their
      // own.
      default -> failure.getClass().getName().startsWith("io.vertx.core.impl.NoStackTrace");
    };
  }

  /// Classes 08 connection, 53 resources, 57 operator intervention, 58 system; 25006 a standby;
  /// 55P03 a lock not had in time.
  private static boolean isUnavailable(String sqlState) {
    return sqlState.startsWith("08")
        || sqlState.startsWith("53")
        || sqlState.startsWith("57")
        || sqlState.startsWith("58")
        || sqlState.equals("25006")
        || sqlState.equals("55P03");
  }
}
