package io.penstock.broker;

import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.edge.RollUp;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.StoreUnavailableException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes invocation roll-ups into the audit trail. What the database does not take now is kept, at
/// most 100,000 roll-ups, and tried again with the next minute; beyond, the oldest are dropped and
/// the log says how many. Called by one thread at a time.
final class InvocationAudit implements Consumer<List<RollUp>> {
  private static final Logger LOG = LoggerFactory.getLogger(InvocationAudit.class);
  private static final int MAX_WAITING = 100_000;
  private static final int PER_TRANSACTION = 500;

  private final Database database;
  private final Audit audit;
  private final int maxWaiting;
  private final ArrayDeque<RollUp> waiting = new ArrayDeque<>();

  InvocationAudit(Database database, Audit audit) {
    this(database, audit, MAX_WAITING);
  }

  InvocationAudit(Database database, Audit audit, int maxWaiting) {
    this.maxWaiting = maxWaiting;
    this.database = database;
    this.audit = audit;
  }

  @Override
  public synchronized void accept(List<RollUp> finished) {
    waiting.addAll(finished);
    int dropped = 0;
    while (waiting.size() > maxWaiting) {
      waiting.remove();
      dropped++;
    }
    if (dropped > 0) {
      LOG.error("{} invocation roll-ups are lost: the database was away for too long", dropped);
    }
    try {
      while (!waiting.isEmpty()) {
        writeSome();
      }
    } catch (StoreUnavailableException away) {
      LOG.warn("{} invocation roll-ups wait for the database", waiting.size());
    }
  }

  private void writeSome() {
    List<RollUp> some = waiting.stream().limit(PER_TRANSACTION).toList();
    database.run(tx -> some.forEach(it -> audit.record(tx, event(it))));
    some.forEach(_ -> waiting.remove());
  }

  private static AuditEvent event(RollUp it) {
    return AuditEvent.of("invocation.summary", it.verdict())
        .by(it.caller())
        .on(it.site() + "/" + it.system())
        .changing(
            Map.of(
                "minute", it.minute().toString(),
                "invocations", it.invocations(),
                "bytes_in", it.bytesIn(),
                "bytes_out", it.bytesOut(),
                "total_micros", it.totalMicros(),
                "max_micros", it.maxMicros()));
  }
}
