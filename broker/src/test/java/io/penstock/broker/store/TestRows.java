package io.penstock.broker.store;

import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import java.util.ArrayList;
import java.util.List;

/// SQL for tests of other packages, inside a running transaction: tables that only a test has.
public final class TestRows {
  private TestRows() {}

  public static void update(Tx tx, String sql, Object... arguments) {
    tx.update(sql, arguments);
  }

  public static List<JsonObject> query(Tx tx, String sql, Object... arguments) {
    var rows = new ArrayList<JsonObject>();
    for (Row row : tx.query(sql, arguments)) {
      rows.add(row.toJson());
    }
    return rows;
  }
}
