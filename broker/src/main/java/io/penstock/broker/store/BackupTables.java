package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Every table of the schema as a backup sees it: what goes into it, in an order in which it can be
/// put back, and what stays out, with the reason. Rows travel as JSON, whatever their columns are.
public final class BackupTables {
  /// Tables that others refer to come first.
  public static final List<String> EXPORTED =
      List.of(
          "users",
          "known_sources",
          "service_accounts",
          "service_tokens",
          "enrollment_tokens",
          "agents",
          "agent_generations",
          "retired_dev_keys",
          "session_epochs",
          "connections",
          "gateway_proofs",
          "revocation_lists",
          "revocations_alone",
          "blocks",
          "systems",
          "system_versions",
          "heads",
          "receipts",
          "receipt_documents",
          "message_sequences",
          "messages",
          "changes",
          "alarms",
          "alarm_changes",
          "alarm_silences",
          "alarm_notices",
          "audit_log",
          "audit_chain",
          "audit_checkpoints",
          "audit_shipped",
          "outbox");

  /// What is not in a backup, and why nobody misses it.
  public static final Map<String, String> LEFT_OUT =
      Map.of(
          "flyway_schema_history", "the migrations of the broker that restores write it",
          "sessions", "everybody signs in again: a session that was ended since must not come back",
          "refresh_tokens", "they belong to sessions",
          "latency_minutes", "telemetry of the last hours",
          "hop_times", "telemetry: calls are timed anew, and it is the largest of all tables",
          "node_status", "how each node was a few seconds ago",
          "alarm_looks", "which node looked last, a matter of seconds",
          "oidc_flows", "sign-ins of the last minutes, which are over by then");

  private static final int ROWS_AT_ONCE = 500;

  /// Above whatever was given out between the backup and the end of the broker it was made of.
  private static final long ROOM = 1_000_000;

  /// Gets what is read, row by row.
  public interface Sink {
    /// @param json of one row, without a line break
    void row(String table, String json);

    void sequence(String name, long last);
  }

  /// Everything of one moment. To be called first in its transaction.
  public void export(Tx tx, Sink sink) {
    tx.update("set transaction isolation level repeatable read read only");
    requireClassified(tx);
    for (String table : EXPORTED) {
      tx.update(
          "declare backup no scroll cursor for select to_jsonb(t)::text as json from "
              + table
              + " t");
      boolean more = true;
      while (more) {
        int found = 0;
        for (Row row : tx.query("fetch " + ROWS_AT_ONCE + " from backup")) {
          sink.row(table, Values.text(row, "json"));
          found++;
        }
        more = found == ROWS_AT_ONCE;
      }
      tx.update("close backup");
    }
    for (Row row :
        tx.query(
            """
            select sequencename, last_value from pg_sequences
            where schemaname = current_schema() and last_value is not null order by 1\
            """)) {
      sink.sequence(Values.text(row, "sequencename"), Values.number(row, "last_value"));
    }
  }

  /// A table that a backup knows nothing of would be lost without a word.
  private static void requireClassified(Tx tx) {
    Set<String> unknown = new TreeSet<>(tables(tx));
    EXPORTED.forEach(unknown::remove);
    unknown.removeAll(LEFT_OUT.keySet());
    if (!unknown.isEmpty()) {
      throw new IllegalStateException("tables that no backup knows: " + unknown);
    }
  }

  /// Of this schema.
  static List<String> tables(Tx tx) {
    var all = new ArrayList<String>();
    tx.query(
            "select tablename::text as name from pg_tables where schemaname = current_schema()"
                + " order by 1")
        .forEach(row -> all.add(Values.text(row, "name")));
    return all;
  }

  /// The first table that holds anything; empty for a database to restore into.
  public Optional<String> firstInUse(Tx tx) {
    return tables(tx).stream()
        .filter(table -> !table.equals("flyway_schema_history"))
        .filter(table -> tx.one("select 1 as one from " + table + " limit 1").isPresent())
        .findFirst();
  }

  /// @param rows JSON, as [#export] told it
  public void insert(Tx tx, String table, List<String> rows) {
    if (!EXPORTED.contains(table)) {
      throw new IllegalArgumentException("no table of a backup: " + table);
    }
    // As a text that Postgres parses: the client would send a JSON text as a JSON string.
    int inserted =
        tx.update(
            "insert into "
                + table
                + " overriding system value select r.* from jsonb_populate_recordset(null::"
                + table
                + ", $1::text::jsonb) as r",
            "[" + String.join(",", rows) + "]");
    if (inserted != rows.size()) {
      throw new IllegalStateException(
          table + ": expected " + rows.size() + " rows, inserted " + inserted);
    }
  }

  public void setSequence(Tx tx, String name, long last) {
    tx.query("select setval(format('%I', $1::text)::regclass, $2)", name, last);
  }

  /// The newest signed checkpoint, as `DATA/audit-checkpoint` holds it.
  public Optional<String> newestCheckpoint(Tx tx) {
    return tx.one("select jws from audit_checkpoints order by number desc limit 1")
        .map(row -> Values.text(row, "jws"));
  }

  /// What would do harm when it came back as it was. Counters go on above all that was given out
  /// since the backup, so that an agent's late answer is to nothing else; enrollment tokens that
  /// were not used yet are withdrawn, for they may have been used since. Answers how many those
  /// were.
  public int settle(Tx tx, Instant now) {
    tx.update("update session_epochs set epoch = epoch + $1", ROOM);
    tx.update("update message_sequences set next_seq = next_seq + $1", ROOM);
    return tx.update(
        "delete from enrollment_tokens where used_at is null and expires_at > $1", now);
  }
}
