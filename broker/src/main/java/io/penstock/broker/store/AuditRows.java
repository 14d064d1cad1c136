package io.penstock.broker.store;

import io.penstock.broker.store.AuditTable.Entry;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/// The audit rows of one transaction, in their order: many go to Postgres in one statement, at the
/// latest before the commit, so that a batch of receipts is not as many round trips.
final class AuditRows {
  private static final int AT_ONCE = 256;

  private final Tx tx;
  private final List<Entry> waiting = new ArrayList<>();

  AuditRows(Tx tx) {
    this.tx = tx;
  }

  void add(Entry entry) {
    waiting.add(entry);
    if (waiting.size() >= AT_ONCE) {
      flush();
    }
  }

  void flush() {
    if (waiting.isEmpty()) {
      return;
    }
    tx.update(
        """
        insert into audit_log (event_id, timestamp, event_type, user_email, resource_id, action, changes, ip_address, user_agent, resource,
          result, reason, approved_by)
        select event_id, timestamp, event_type, user_email, resource_id, action, changes::jsonb, ip_address::inet, user_agent, resource,
          result, reason, approved_by
        from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
          $10::text[], $11::text[], $12::text[], $13::text[]) with ordinality
          as e (event_id, timestamp, event_type, user_email, resource_id, action, changes, ip_address, user_agent, resource,
          result, reason, approved_by, place)
        order by place\
        """,
        waiting.stream().map(Entry::eventId).toArray(UUID[]::new),
        Values.times(waiting, Entry::timestamp),
        waiting.stream().map(Entry::eventType).toArray(String[]::new),
        texts(Entry::user),
        texts(Entry::resourceId),
        texts(Entry::action),
        texts(AuditRows::changes),
        texts(Entry::ipAddress),
        texts(Entry::userAgent),
        texts(Entry::resource),
        texts(Entry::result),
        texts(Entry::reason),
        texts(Entry::approvedBy));
    waiting.clear();
  }

  private static Optional<String> changes(Entry entry) {
    return entry.changes().isEmpty()
        ? Optional.empty()
        : Optional.of(new JsonObject(entry.changes()).encode());
  }

  private String[] texts(Function<Entry, Optional<String>> field) {
    return Values.texts(waiting, field);
  }
}
