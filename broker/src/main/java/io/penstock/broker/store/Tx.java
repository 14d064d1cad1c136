package io.penstock.broker.store;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Transaction;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A running transaction, handed to the table classes. Belongs to the thread that opened it and
/// ends with [Database#transaction].
public final class Tx {
  private final SqlConnection connection;
  private final Future<Transaction> begun;
  private final Waiting waiting;
  private final List<Runnable> afterCommit = new ArrayList<>();
  private final List<Runnable> whenOver = new ArrayList<>();
  private final AuditRows audit = new AuditRows(this);
  private Future<?> last = Future.succeededFuture();

  /// @param begun sent and perhaps not answered yet: the first statement leaves right behind it
  Tx(SqlConnection connection, Future<Transaction> begun, Waiting waiting) {
    this.connection = connection;
    this.begun = begun;
    this.waiting = waiting;
  }

  /// Runs `action` once the commit is durable, not at all after a rollback: for caches to forget
  /// and sessions to end.
  public void afterCommit(Runnable action) {
    afterCommit.add(action);
  }

  /// Runs `action` after the commit or the rollback, outside of this transaction: for what was
  /// found out in it and has to be told in any case. A transaction inside of another waits for a
  /// second
  /// connection while it holds the first.
  public void whenOver(Runnable action) {
    whenOver.add(action);
  }

  void runAfterCommit() {
    afterCommit.forEach(Runnable::run);
  }

  void runWhenOver() {
    whenOver.forEach(Runnable::run);
  }

  /// Audit rows of this transaction that are not sent to Postgres yet.
  AuditRows audit() {
    return audit;
  }

  /// Sends a statement and does not wait for its answer.
  Sent<RowSet<Row>> send(String sql, Object... arguments) {
    Future<RowSet<Row>> answer =
        connection.preparedQuery(sql).execute(Tuple.wrap(Values.toClient(arguments)));
    last = answer;
    return new Sent<>(() -> await(answer));
  }

  private <T> T await(Future<T> answer) {
    T answered = waiting.on(answer);
    // Answered before the statement. Were it refused, nothing more than the statements sent by then
    // would run outside of a transaction.
    waiting.on(begun);
    return answered;
  }

  /// Waits until every statement that was sent has been answered. Once Postgres has refused one it
  /// refuses all behind it: the last one tells of all. (Not of one that the client refuses to send,
  /// such as a value of the wrong type: only who asks for its answer hears of that.)
  void awaitAll() {
    await(last);
  }

  RowSet<Row> query(String sql, Object... arguments) {
    return send(sql, arguments).get();
  }

  Sent<Optional<Row>> sendForOne(String sql, Object... arguments) {
    return send(sql, arguments)
        .map(rows -> rows.size() == 0 ? Optional.empty() : Optional.of(rows.iterator().next()));
  }

  Optional<Row> one(String sql, Object... arguments) {
    return sendForOne(sql, arguments).get();
  }

  int update(String sql, Object... arguments) {
    return query(sql, arguments).rowCount();
  }

  /// A hint to other nodes, delivered at the commit.
  public void announce(String channel, JsonObject payload) {
    query("select pg_notify($1, $2)", channel, payload.encode());
  }
}
