package io.penstock.broker.delivery;

import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Stores the key wraps that agents made anew, one after the other: they are rare and nobody waits
/// for one. What is lost because the database is away, the agent sends again when it next opens the
/// same document by a former key.
final class KeyWraps implements AutoCloseable {
  /// A thousand systems of one agent, or a few of many that rotate at once.
  private static final int MAX_WAITING = 1_024;

  private static final Logger LOG = LoggerFactory.getLogger(KeyWraps.class);

  private final Database database;
  private final Documents documents;
  private final ArrayBlockingQueue<Told> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
  private final CountDownLatch closing = new CountDownLatch(1);

  private record Told(String agent, long generation, Rewrapped what) {}

  KeyWraps(Database database, Documents documents) {
    this.database = database;
    this.documents = documents;
  }

  void start() {
    Thread.ofVirtual().name("key-wraps").start(this::run);
  }

  /// Never blocks. Beyond the bound it is lost.
  void offer(LiveSession session, Rewrapped what) {
    String agent = session.admission().agent();
    if (!waiting.offer(new Told(agent, session.admission().generation(), what))) {
      LOG.info("{}: a key wrap is dropped, because {} wait", agent, MAX_WAITING);
    }
  }

  private void run() {
    try {
      while (closing.getCount() > 0) {
        Told next = waiting.poll(1, TimeUnit.SECONDS);
        if (next != null) {
          store(next);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void store(Told told) {
    try {
      boolean changed =
          database.transaction(
              tx -> documents.rewrapped(tx, told.agent(), told.generation(), told.what()));
      LOG.debug("{}: a key wrap {}", told.agent(), changed ? "is stored" : "changes nothing");
    } catch (StoreUnavailableException away) {
      LOG.info("{}: a key wrap is not stored: {}", told.agent(), away.getMessage());
    } catch (RuntimeException bug) {
      LOG.error("{}: a key wrap cannot be stored", told.agent(), bug);
    }
  }

  @Override
  public void close() {
    closing.countDown();
  }
}
