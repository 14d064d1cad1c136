package io.penstock.broker.agents;

import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The way from a tunnel to the database and its cryptography: 64 at a time. Who waits longer than
/// two seconds, or finds no database, is told to come again at a time of its own, so that a slow
/// Postgres meets a short line instead of every agent of the fleet. Peers are never waited for
/// inside. Thread-safe.
final class Doorway {
  private static final Logger LOG = LoggerFactory.getLogger(Doorway.class);
  private static final int WIDTH = 64;
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final int RETRY_AFTER_MS = 2_000;
  private static final int RETRY_SPREAD_MS = 8_000;

  private final Semaphore room;
  private final Duration patience;

  Doorway() {
    this(WIDTH, PATIENCE);
  }

  Doorway(int width, Duration patience) {
    this.room = new Semaphore(width, true);
    this.patience = patience;
  }

  /// Runs `work`; it must not wait for a peer.
  <T> T through(Supplier<T> work) throws TunnelRefused {
    if (!Turns.acquired(room, patience)) {
      throw unavailable();
    }
    try {
      return work.get();
    } catch (TamperedException found) {
      throw found;
    } catch (StoreUnavailableException _) {
      throw unavailable();
    } catch (RuntimeException failure) {
      // What cannot be recorded is not done, and nobody is sent away for good because of us.
      LOG.error("an admission failed", failure);
      throw unavailable();
    } finally {
      room.release();
    }
  }

  void through(Runnable work) throws TunnelRefused {
    through(
        () -> {
          work.run();
          return true;
        });
  }

  static TunnelRefused unavailable() {
    int spread = ThreadLocalRandom.current().nextInt(RETRY_SPREAD_MS);
    return new TunnelRefused(
        ErrorCode.UNAVAILABLE, RETRY_AFTER_MS + spread, "come again a little later");
  }
}
