package io.penstock.broker.delivery;

import io.penstock.broker.delivery.Documents.Newest;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.codec.message.ControlMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells live sessions of this node which heads were signed again, whichever node did it: the hint
/// names the agent, the head is read from the database, since it is larger than a hint may be.
final class HeadTeller implements AutoCloseable {
  private static final int AGENTS_AT_ONCE = 64;
  private static final Logger LOG = LoggerFactory.getLogger(HeadTeller.class);

  private final Database database;
  private final Documents documents;
  private final Roster roster;
  private final Line line = new Line();
  private final Set<String> missed = ConcurrentHashMap.newKeySet();

  HeadTeller(Database database, Documents documents, Roster roster) {
    this.database = database;
    this.documents = documents;
    this.roster = roster;
  }

  void start() {
    Thread.ofVirtual().name("delivery-heads").start(() -> line.serve(AGENTS_AT_ONCE, this::serve));
  }

  /// Agents without a live session here are none of ours. Never blocks.
  void renewed(String agent) {
    if (!roster.of(agent).isEmpty()) {
      line.add(agent);
    }
  }

  /// Once more for whom the database was away.
  void again() {
    List<String> agents = List.copyOf(missed);
    agents.forEach(missed::remove);
    agents.forEach(this::renewed);
  }

  private void serve(List<String> agents) {
    try {
      tell(agents);
    } catch (StoreUnavailableException away) {
      missed.addAll(agents);
      LOG.debug("renewed heads wait for the database: {}", away.getMessage());
    } catch (RuntimeException | Error bug) {
      LOG.error("renewed heads of {} agents cannot be told", agents.size(), bug);
    }
  }

  private void tell(List<String> agents) {
    var sessions = new ArrayList<Attached>();
    agents.forEach(agent -> sessions.addAll(roster.of(agent)));
    if (sessions.isEmpty()) {
      return;
    }
    Set<Addressee> whom = sessions.stream().map(Attached::addressee).collect(Collectors.toSet());
    Map<Addressee, Newest> newest = database.transaction(tx -> documents.newest(tx, whom));
    for (Attached session : sessions) {
      if (newest.get(session.addressee()) instanceof Newest.Head head) {
        head.jws()
            .filter(session::headIsNew)
            .ifPresent(jws -> session.session().send(new ControlMessage.Head(jws)));
      }
    }
  }

  @Override
  public void close() {
    line.close();
  }
}
