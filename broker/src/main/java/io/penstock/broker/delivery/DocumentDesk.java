package io.penstock.broker.delivery;

import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.tunnel.DocumentStream;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ConfigurationDocument;
import io.penstock.codec.message.Messages;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands documents to agents that ask for them, each on a virtual thread. At most [#AT_ONCE] are in
/// memory, until their agents have taken them; the next wait a while, then are told to ask again.
final class DocumentDesk {
  private static final int AT_ONCE = 64;

  /// Agents that do not take what they asked for hold no more than this of it.
  private static final int AT_ONCE_PER_AGENT = 2;

  /// An agent waits for 10 s; a refusal that comes in time tells it to ask again.
  private static final Duration PATIENCE = Duration.ofSeconds(6);

  private static final Duration DATABASE = Duration.ofSeconds(3);
  private static final Duration TAKEN_WITHIN = Duration.ofSeconds(12);

  /// After Postgres was found away nobody waits for it again.
  private static final Duration AWAY = Duration.ofMillis(500);

  private static final Logger LOG = LoggerFactory.getLogger(DocumentDesk.class);

  private final Database database;
  private final Documents documents;
  private final Semaphore room = new Semaphore(AT_ONCE, true);
  private final ConcurrentHashMap<String, Seats> seats = new ConcurrentHashMap<>();
  private volatile long awayUntilNanos = System.nanoTime();

  /// One agent's, as long as somebody asks for it.
  private static final class Seats {
    final Semaphore free = new Semaphore(AT_ONCE_PER_AGENT, true);
    int users;
  }

  DocumentDesk(Database database, Documents documents) {
    this.database = database;
    this.documents = documents;
  }

  void requested(LiveSession session, DocumentStream stream) {
    String agent = session.admission().agent();
    Thread.ofVirtual().name("document").start(() -> serve(agent, stream));
  }

  private void serve(String agent, DocumentStream stream) {
    Seats own = enter(agent);
    try {
      serve(own, agent, stream);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      stream.refuse(ErrorCode.INTERNAL, "the broker stops");
    } finally {
      leave(agent);
    }
  }

  private Seats enter(String agent) {
    return seats.compute(
        agent,
        (_, before) -> {
          Seats now = before == null ? new Seats() : before;
          now.users++;
          return now;
        });
  }

  private void leave(String agent) {
    seats.computeIfPresent(agent, (_, now) -> --now.users == 0 ? null : now);
  }

  private void serve(Seats own, String agent, DocumentStream stream) throws InterruptedException {
    long until = System.nanoTime() + PATIENCE.toNanos();
    if (!own.free.tryAcquire(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
      stream.refuse(ErrorCode.OVERLOADED, "documents that were asked for before are not taken");
      return;
    }
    try {
      if (!room.tryAcquire(until - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        stream.refuse(ErrorCode.OVERLOADED, "too many agents fetch documents");
        return;
      }
      try {
        hand(agent, stream);
      } finally {
        room.release();
      }
    } finally {
      own.free.release();
    }
  }

  private void hand(String agent, DocumentStream stream) throws InterruptedException {
    if (stream.isOver()) {
      return;
    }
    if (System.nanoTime() - awayUntilNanos < 0) {
      refuseWithoutDatabase(stream);
      return;
    }
    try {
      Optional<byte[]> document = find(agent, stream);
      if (document.isEmpty()) {
        stream.missing();
        return;
      }
      stream
          .send(document.get())
          .toCompletableFuture()
          .get(TAKEN_WITHIN.toNanos(), TimeUnit.NANOSECONDS);
    } catch (StoreUnavailableException _) {
      awayUntilNanos = System.nanoTime() + AWAY.toNanos();
      refuseWithoutDatabase(stream);
    } catch (TimeoutException _) {
      stream.refuse(ErrorCode.DEADLINE, "the document was not taken in time");
    } catch (ExecutionException | RuntimeException bug) {
      LOG.error("a document of {} cannot be handed over", agent, bug);
      stream.refuse(ErrorCode.INTERNAL, "ask again");
    }
  }

  private static void refuseWithoutDatabase(DocumentStream stream) {
    stream.refuse(ErrorCode.OVERLOADED, "no database, ask again");
  }

  private Optional<byte[]> find(String agent, DocumentStream stream) {
    Optional<ConfigurationDocument> found =
        database.within(
            DATABASE,
            tx ->
                documents.document(
                    tx, agent, stream.request().system(), stream.request().version()));
    return found.map(Messages::encode);
  }
}
