package io.penstock.broker.store;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Two rows for every table of the schema, made from its columns: a table that a migration adds
/// gets some without anybody's doing.
public final class TestRowsOfEveryTable {
  /// What the schema's own checks ask for.
  private static final Map<String, Object> WORDS =
      Map.ofEntries(
          Map.entry("users.role", "viewer"),
          // Who signs in by a provider, as these do, has none.
          Map.entry("users.password_hash", ""),
          Map.entry("agents.state", "approved"),
          Map.entry("agent_generations.state", "approved"),
          Map.entry("alarms.severity", "low"),
          Map.entry("alarm_changes.change", "raised"),
          Map.entry("messages.kind", "instruction"),
          Map.entry("system_versions.state", "applied"),
          Map.entry("receipts.outcome", "applied"),
          Map.entry("changes.state", "waiting"),
          Map.entry("audit_chain.kind", "broker"));

  /// Two rows of each, the tables that others refer to first.
  public void fill(TestDatabase test) {
    var order = new ArrayList<>(BackupTables.EXPORTED);
    order.addAll(List.of("sessions", "refresh_tokens", "latency_minutes", "alarm_looks"));
    test.database()
        .run(
            tx -> {
              for (String table : BackupTables.tables(tx)) {
                if (!order.contains(table) && !table.equals("flyway_schema_history")) {
                  order.add(table);
                }
              }
              order.forEach(table -> fill(tx, table));
              // One that nobody has used yet.
              tx.update(
                  "update enrollment_tokens set used_at = null, expires_at = now() + interval '1"
                      + " hour' where site = 'site-1'");
            });
  }

  private static void fill(Tx tx, String table) {
    Map<String, String> columns = columns(tx, table);
    for (int i = 1; i <= 2; i++) {
      int number = i;
      var row = new JsonObject();
      columns.forEach((column, type) -> row.put(column, value(table, column, type, number)));
      tx.update(
          "insert into "
              + table
              + " overriding system value select r.* from jsonb_populate_record(null::"
              + table
              + ", $1::text::jsonb) as r",
          row.encode());
    }
    for (Row sequence :
        tx.query(
            "select s.relname::text as name from pg_class s join pg_depend d on d.objid = s.oid and"
                + " d.classid = 'pg_class'::regclass where s.relkind = 'S' and d.refobjid ="
                + " $1::text::regclass",
            table)) {
      tx.query("select setval($1::text::regclass, 77)", Values.text(sequence, "name"));
    }
  }

  private static Map<String, String> columns(Tx tx, String table) {
    var columns = new HashMap<String, String>();
    tx.query(
            "select column_name::text as name, data_type::text as type from"
                + " information_schema.columns where table_schema = current_schema() and table_name"
                + " = $1",
            table)
        .forEach(row -> columns.put(Values.text(row, "name"), Values.text(row, "type")));
    return columns;
  }

  private static Object value(String table, String column, String type, int number) {
    Object word = WORDS.get(table + "." + column);
    if (word != null) {
      return word;
    }
    return switch (type) {
      case "text", "character varying" ->
          switch (column) {
            case "agent", "name", "account" -> "a-" + number;
            case "email", "user_email" -> "u-" + number;
            default -> column + "-" + number;
          };
      case "bigint", "integer" -> number;
      case "boolean" -> number == 1;
      case "timestamp with time zone" -> "2026-11-01T12:00:00.12345" + number + "Z";
      case "bytea" -> "\\x" + ("0" + number).repeat(bytes(table, column));
      case "uuid" -> new UUID(0, number).toString();
      case "inet" -> "2001:db8::" + number;
      case "ARRAY" -> new JsonArray(List.of("one", "with \"quotes\", {braces} \\ and ü"));
      case "jsonb" ->
          new JsonObject()
              .put("number", 12_345_678_901_234L)
              .put("text", "a\nb\tü")
              .putNull("null");
      case "double precision", "real", "numeric" -> number + 0.1;
      default -> throw new AssertionError("no value for " + table + "." + column + ": " + type);
    };
  }

  private static int bytes(String table, String column) {
    return switch (table + "." + column) {
      case "enrollment_tokens.id" -> 16;
      case "hop_times.sums" -> 56;
      default -> 32;
    };
  }

  /// All rows as Postgres tells them, in an order of their own.
  public Map<String, List<String>> content(TestDatabase test) {
    return test.database()
        .transaction(
            tx -> {
              var all = new HashMap<String, List<String>>();
              for (String table : BackupTables.tables(tx)) {
                var rows = new ArrayList<String>();
                tx.query("select t::text as row from " + table + " t order by 1")
                    .forEach(row -> rows.add(Values.text(row, "row")));
                all.put(table, rows);
              }
              return all;
            });
  }
}
