package io.penstock.broker.agents;

import io.penstock.broker.store.StoreUnavailableException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What has to be done from time to time, each job on a virtual thread of its own. A job that finds
/// no database is tried again at its next time.
final class Upkeep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

  private final CountDownLatch closing = new CountDownLatch(1);

  void every(Duration interval, String name, Runnable job) {
    Thread.ofVirtual().name("agents-" + name).start(() -> repeat(interval, name, job));
  }

  private void repeat(Duration interval, String name, Runnable job) {
    try {
      while (!closing.await(interval.toNanos(), TimeUnit.NANOSECONDS)) {
        once(name, job);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void once(String name, Runnable job) {
    try {
      job.run();
    } catch (StoreUnavailableException away) {
      LOG.debug("{} waits for the database: {}", name, away.getMessage());
    } catch (RuntimeException bug) {
      LOG.error("{} failed", name, bug);
    }
  }

  @Override
  public void close() {
    closing.countDown();
  }
}
