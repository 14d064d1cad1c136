package io.penstock.broker.agents;

import io.penstock.broker.store.AgentTable;
import io.penstock.broker.store.ConnectionTable;
import io.penstock.broker.store.ConnectionTable.Connection;
import io.penstock.broker.store.ConnectionTable.Ended;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.seal.Octets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The log of tunnels: who was here, when, from where. Sessions only note what happened; the upkeep
/// writes it in batches, so that neither an event loop nor an admission waits for it. Rows carry
/// their session's epoch: what an overtaken session says late changes nothing of the newer one.
///
/// At most 20,000 notes wait while Postgres is away; then the oldest are lost, and the log says so.
final class Presence {
  private static final Logger LOG = LoggerFactory.getLogger(Presence.class);
  private static final int MAX_NOTES = 20_000;
  private static final int BATCH = 500;
  private static final Duration DAY = Duration.ofHours(24);

  private final Database database;
  private final ConnectionTable connections;
  private final AgentTable agents;
  private final String node;
  private final Clock clock;
  private final Deque<Note> notes = new ArrayDeque<>();
  private long lost;

  private sealed interface Note {
    record Opened(Connection connection) implements Note {}

    record Closed(Ended end) implements Note {}
  }

  Presence(
      Database database, ConnectionTable connections, AgentTable agents, String node, Clock clock) {
    this.database = database;
    this.connections = connections;
    this.agents = agents;
    this.node = node;
    this.clock = clock;
  }

  /// Once before the first tunnel: what a killed broker of this name left open.
  void start() {
    database.run(tx -> connections.closeLeftOpen(tx, node));
  }

  void opened(LiveSession session) {
    Admission admission = session.admission();
    note(
        new Note.Opened(
            new Connection(
                admission.agent(),
                admission.slot(),
                admission.sessionEpoch(),
                node,
                Octets.of(admission.bootId()),
                Optional.of(session.remote().getHostAddress()),
                session.connectedAt())));
  }

  void closed(LiveSession session, String reason) {
    Admission admission = session.admission();
    note(
        new Note.Closed(
            new Ended(
                admission.agent(),
                admission.slot(),
                admission.sessionEpoch(),
                reason,
                clock.instant())));
  }

  private synchronized void note(Note note) {
    notes.addLast(note);
    if (notes.size() > MAX_NOTES) {
      notes.removeFirst();
      lost++;
    }
  }

  /// Writes what was noted; what finds no database stays noted.
  void write() {
    for (List<Note> batch = take(); !batch.isEmpty(); batch = take()) {
      List<Note> taken = batch;
      try {
        database.repeatable(
            tx -> {
              write(tx, taken);
              return true;
            });
      } catch (StoreUnavailableException away) {
        putBack(taken);
        throw away;
      }
    }
  }

  private synchronized List<Note> take() {
    if (lost > 0) {
      LOG.warn("{} entries of the tunnel log were lost while the database was away", lost);
      lost = 0;
    }
    var batch = new ArrayList<Note>();
    while (batch.size() < BATCH && !notes.isEmpty()) {
      batch.add(notes.removeFirst());
    }
    return batch;
  }

  private synchronized void putBack(List<Note> batch) {
    batch.reversed().forEach(notes::addFirst);
  }

  private void write(Tx tx, List<Note> batch) {
    var opened = new ArrayList<Connection>();
    var ended = new ArrayList<Ended>();
    for (Note note : batch) {
      switch (note) {
        case Note.Opened(Connection connection) -> opened.add(connection);
        case Note.Closed(Ended end) -> ended.add(end);
      }
    }
    // First the beginnings: some of them have ended by now.
    connections.open(tx, opened);
    connections.close(tx, ended);
    agents.connected(tx, opened);
  }

  /// The heartbeat of this node's tunnels, so that a kill ends them where they were last seen.
  void beat() {
    database.run(tx -> connections.stillAlive(tx, node, clock.instant()));
  }

  /// Share of the last 24 h in which an agent had a tunnel; agents without any are left out.
  Map<String, Double> availability(Tx tx) {
    Instant now = clock.instant();
    return connections.availability(tx, now.minus(DAY), now);
  }

  /// The same of one agent.
  double availability(Tx tx, String agent) {
    Instant now = clock.instant();
    return connections.availability(tx, agent, now.minus(DAY), now);
  }
}
