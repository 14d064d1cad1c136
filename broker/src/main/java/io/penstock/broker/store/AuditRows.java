package io.penstock.broker.store;

import io.penstock.broker.store.AuditTable.Entry;
import io.penstock.codec.seal.Octets;
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
  private final List<Written> waiting = new ArrayList<>();

  /// @param mac over the entry
  private record Written(Entry entry, Octets mac) {}

  AuditRows(Tx tx) {
    this.tx = tx;
  }

  void add(Entry entry, Octets mac) {
    waiting.add(new Written(entry, mac));
    if (waiting.size() >= AT_ONCE) {
      flush();
    }
  }

  /// The transaction's own number is asked for first: whoever has taken a row's number is then
  /// known to be under way, which is what the chain waits for ([AuditChainTable]).
  void flush() {
    send();
    tx.awaitAll();
  }

  /// [#flush] without waiting for the answer.
  void send() {
    if (waiting.isEmpty()) {
      return;
    }
    var _ =
        tx.send(
            """
            with me as materialized (select pg_current_xact_id() as xact)
            insert into audit_log (event_id, timestamp, event_type, user_email, resource_id, action, changes, ip_address, user_agent, resource,
              result, reason, approved_by, mac)
            select event_id, timestamp, event_type, user_email, resource_id, action, changes::jsonb, ip_address::inet, user_agent, resource,
              result, reason, approved_by, mac
            from me, unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
              $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[]) with ordinality
              as e (event_id, timestamp, event_type, user_email, resource_id, action, changes, ip_address, user_agent, resource,
              result, reason, approved_by, mac, place)
            where me.xact is not null
            order by place\
            """,
            waiting.stream().map(it -> it.entry().eventId()).toArray(UUID[]::new),
            Values.times(waiting, it -> it.entry().timestamp()),
            waiting.stream().map(it -> it.entry().eventType()).toArray(String[]::new),
            texts(Entry::user),
            texts(Entry::resourceId),
            texts(Entry::action),
            texts(Entry::changesText),
            texts(Entry::ipAddress),
            texts(Entry::userAgent),
            texts(Entry::resource),
            texts(Entry::result),
            texts(Entry::reason),
            texts(Entry::approvedBy),
            Values.octets(waiting, Written::mac));
    waiting.clear();
  }

  private String[] texts(Function<Entry, Optional<String>> field) {
    return Values.texts(waiting, it -> field.apply(it.entry()));
  }
}
