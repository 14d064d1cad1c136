package io.penstock.broker.store;

import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// How each node was when it last said so.
public final class NodeStatusTable {

  public record Status(String node, Instant at, JsonObject status) {}

  public void put(Tx tx, Status status) {
    tx.update(
        "insert into node_status (node, at, status) values ($1, $2, $3)"
            + " on conflict (node) do update set at = excluded.at, status = excluded.status",
        status.node(),
        status.at(),
        status.status());
  }

  public List<Status> list(Tx tx) {
    var all = new ArrayList<Status>();
    tx.query("select node, at, status from node_status order by node")
        .forEach(row -> all.add(read(row)));
    return all;
  }

  /// Nodes that have said nothing for long are gone for good.
  public int dropOlderThan(Tx tx, Instant before) {
    return tx.update("delete from node_status where at < $1", before);
  }

  private static Status read(Row row) {
    JsonObject status = row.getJsonObject("status");
    return new Status(
        Values.text(row, "node"),
        Values.instant(row, "at"),
        status == null ? new JsonObject() : status);
  }
}
