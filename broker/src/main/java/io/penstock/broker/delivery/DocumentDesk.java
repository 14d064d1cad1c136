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
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration TAKEN_WITHIN = Duration.ofSeconds(60);
  private static final Logger LOG = LoggerFactory.getLogger(DocumentDesk.class);

  private final Database database;
  private final Documents documents;
  private final Semaphore room = new Semaphore(AT_ONCE, true);

  DocumentDesk(Database database, Documents documents) {
    this.database = database;
    this.documents = documents;
  }

  void requested(LiveSession session, DocumentStream stream) {
    String agent = session.admission().agent();
    Thread.ofVirtual().name("document").start(() -> serve(agent, stream));
  }

  private void serve(String agent, DocumentStream stream) {
    try {
      if (!room.tryAcquire(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
        stream.refuse(ErrorCode.OVERLOADED, "too many agents fetch documents");
        return;
      }
      try {
        hand(agent, stream);
      } finally {
        room.release();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      stream.refuse(ErrorCode.INTERNAL, "the broker stops");
    }
  }

  private void hand(String agent, DocumentStream stream) throws InterruptedException {
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
      stream.refuse(ErrorCode.OVERLOADED, "no database, ask again");
    } catch (TimeoutException _) {
      stream.refuse(ErrorCode.DEADLINE, "the document was not taken in time");
    } catch (ExecutionException | RuntimeException bug) {
      LOG.error("a document of {} cannot be handed over", agent, bug);
      stream.refuse(ErrorCode.INTERNAL, "ask again");
    }
  }

  private Optional<byte[]> find(String agent, DocumentStream stream) {
    Optional<ConfigurationDocument> found =
        database.transaction(
            tx ->
                documents.document(
                    tx, agent, stream.request().system(), stream.request().version()));
    return found.map(Messages::encode);
  }
}
