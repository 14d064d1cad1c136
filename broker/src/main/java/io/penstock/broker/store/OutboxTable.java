package io.penstock.broker.store;

import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// Events that have to leave for other systems, written in the transaction of what they tell.
public final class OutboxTable {

  public record Waiting(long id, String topic, String key, JsonObject payload) {}

  public void insert(Tx tx, String topic, String key, JsonObject payload, Instant at) {
    tx.update(
        "insert into outbox (topic, key, payload, created_at) values ($1, $2, $3, $4)",
        topic,
        key,
        payload,
        at);
  }

  /// The oldest rows, in order; a second sender waits for the first to end its transaction.
  public List<Waiting> oldest(Tx tx, int limit) {
    var waiting = new ArrayList<Waiting>();
    tx.query(
            "select id, topic, key, payload from outbox order by id limit $1 for update skip"
                + " locked",
            limit)
        .forEach(
            row ->
                waiting.add(
                    new Waiting(
                        Values.number(row, "id"),
                        Values.text(row, "topic"),
                        Values.text(row, "key"),
                        row.getJsonObject("payload"))));
    return waiting;
  }

  public int sent(Tx tx, List<Long> ids) {
    return tx.update("delete from outbox where id = any ($1)", (Object) ids.toArray(Long[]::new));
  }
}
