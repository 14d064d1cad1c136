package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// Changes that wait for a second person, and what became of them. Every row carries an HMAC; one
/// that fails it is returned with `intact` false and must not be carried out.
public final class ChangeTable {
  private static final String TABLE = "changes";
  private static final String SELECT =
      """
      select id, kind, method, path, body_sha256, agents, target, author, reason, created_at, expires_at,
             state, decided_by, decided_at, comment, outcome, row_version, mac
      from changes
      """;

  private final RowMac mac;

  public ChangeTable(RowMac mac) {
    this.mac = mac;
  }

  public enum State {
    WAITING,
    /// And being carried out.
    APPROVED,
    EXECUTED,
    REJECTED,
    WITHDRAWN,
    EXPIRED,
    FAILED;

    public String text() {
      return Stored.text(this);
    }

    /// Its body is needed.
    public boolean isOpen() {
      return this == WAITING || this == APPROVED;
    }

    public static Optional<State> of(String text) {
      return Arrays.stream(values()).filter(state -> state.text().equals(text)).findFirst();
    }
  }

  /// Who ended the wait.
  public record Decision(String by, Instant at, String comment) {}

  /// @param target what it builds on
  /// @param outcomeJson what became of it, or the problem
  public record Change(
      UUID id,
      String kind,
      String method,
      String path,
      Octets bodySha256,
      List<String> agents,
      Map<String, String> target,
      String author,
      String reason,
      Instant createdAt,
      Instant expiresAt,
      State state,
      Optional<Decision> decision,
      Optional<String> outcomeJson,
      long rowVersion,
      boolean intact) {
    public Change {
      agents = List.copyOf(agents);
      target = Map.copyOf(target);
    }

    public Change decided(State next, Decision how, Optional<String> outcome) {
      return new Change(
          id,
          kind,
          method,
          path,
          bodySha256,
          agents,
          target,
          author,
          reason,
          createdAt,
          expiresAt,
          next,
          Optional.of(how),
          outcome,
          rowVersion + 1,
          intact);
    }

    private Change spoiled() {
      return new Change(
          id,
          kind,
          method,
          path,
          bodySha256,
          agents,
          target,
          author,
          reason,
          createdAt,
          expiresAt,
          state,
          decision,
          outcomeJson,
          rowVersion,
          false);
    }

    List<String> granting() {
      return List.of(
          id.toString(),
          Long.toString(rowVersion),
          kind,
          method,
          path,
          bodySha256.hex(),
          MacText.of(agents),
          MacText.of(target),
          author,
          reason,
          Long.toString(createdAt.toEpochMilli()),
          Long.toString(expiresAt.toEpochMilli()),
          state.text(),
          MacText.of(decision.map(Decision::by)),
          MacText.of(decision.map(it -> it.at().toEpochMilli())),
          decision.map(Decision::comment).orElse(""),
          MacText.of(outcomeJson));
    }
  }

  /// @param wrappedBody under the KEK
  public void insert(Tx tx, Change change, byte[] wrappedBody) {
    tx.update(
        """
        insert into changes (id, kind, method, path, body, body_sha256, agents, target, author, reason,
          created_at, expires_at, state, row_version, mac)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        """,
        change.id(),
        change.kind(),
        change.method(),
        change.path(),
        wrappedBody,
        change.bodySha256(),
        change.agents(),
        change.target(),
        change.author(),
        change.reason(),
        change.createdAt(),
        change.expiresAt(),
        change.state(),
        change.rowVersion(),
        mac.of(TABLE, change.granting()));
  }

  /// Of a change that is not open any more the body goes.
  public void update(Tx tx, Change change) {
    tx.update(
        """
        update changes set state = $2, decided_by = $3, decided_at = $4, comment = $5, outcome = $6,
          row_version = $7, mac = $8, body = case when $9 then body end
        where id = $1
        """,
        change.id(),
        change.state(),
        change.decision().map(Decision::by),
        change.decision().map(Decision::at),
        change.decision().map(Decision::comment).orElse(""),
        change.outcomeJson(),
        change.rowVersion(),
        mac.of(TABLE, change.granting()),
        change.state().isOpen());
  }

  public Optional<Change> find(Tx tx, UUID id) {
    return tx.one(SELECT + " where id = $1", id).map(this::read);
  }

  public Optional<Change> lock(Tx tx, UUID id) {
    return tx.one(SELECT + " where id = $1 for update", id).map(this::read);
  }

  /// As it is wrapped; empty once it is gone.
  public Optional<Octets> body(Tx tx, UUID id) {
    return tx.one("select body from changes where id = $1", id)
        .flatMap(row -> Values.optionalOctets(row, "body"));
  }

  /// Newest first.
  ///
  /// @param within only those about nothing but these agents; empty = all
  /// @param before only those older than this one
  public List<Change> list(
      Tx tx,
      Optional<State> state,
      Optional<String> author,
      Optional<List<String>> within,
      Optional<UUID> before,
      int limit) {
    return all(
        tx.query(
            SELECT
                + """
                where ($1::text is null or state = $1) and ($2::text is null or author = $2)
                  and ($3::text[] is null or agents <@ $3::text[])
                  and ($4::uuid is null or (created_at, id) < (select created_at, id from changes where id = $4))
                order by created_at desc, id desc limit $5
                """,
            state.map(State::text),
            author,
            within,
            before,
            limit));
  }

  /// The same request of the same author, if it waits already.
  public Optional<Change> findWaiting(
      Tx tx, String author, String method, String path, Octets bodySha256, Instant now) {
    return tx.one(
            SELECT
                + """
                where state = 'waiting' and author = $1 and method = $2 and path = $3 and body_sha256 = $4
                  and expires_at > $5
                order by created_at limit 1
                """,
            author,
            method,
            path,
            bodySha256,
            now)
        .map(this::read);
  }

  /// How many wait, of one author and in all.
  public record Waiting(long ofAuthor, long inAll) {}

  /// Until the transaction ends nobody else counts, so that a limit holds.
  public Waiting countWaiting(Tx tx, String author) {
    tx.query("select pg_advisory_xact_lock(hashtextextended('penstock changes', 0))");
    return tx.one(
            """
            select count(*) filter (where author = $1) as mine, count(*) as n from changes
            where state in ('waiting', 'approved')
            """,
            author)
        .map(row -> new Waiting(Values.number(row, "mine"), Values.number(row, "n")))
        .orElseThrow();
  }

  /// Waiting ones whose time is over, oldest first.
  public List<Change> expired(Tx tx, Instant now, int limit) {
    return all(
        tx.query(
            SELECT + " where state = 'waiting' and expires_at <= $1 order by expires_at limit $2",
            now,
            limit));
  }

  /// Approved ones that nobody has carried out yet, oldest first.
  public List<Change> unfinished(Tx tx, Instant decidedBefore, int limit) {
    return all(
        tx.query(
            SELECT + " where state = 'approved' and decided_at < $1 order by decided_at limit $2",
            decidedBefore,
            limit));
  }

  public int dropDecided(Tx tx, Instant before) {
    return tx.update(
        "delete from changes where state not in ('waiting', 'approved') and decided_at < $1",
        before);
  }

  /// A body as it is wrapped.
  public record Wrapped(UUID id, byte[] body) {
    @Override
    public String toString() {
      return "Wrapped[" + id + "]";
    }
  }

  /// Bodies that are not wrapped by the newest KEK. Nobody else changes them until the transaction
  /// ends.
  public List<Wrapped> bodiesBehind(Tx tx, byte[] wrapPrefix, int limit) {
    var found = new ArrayList<Wrapped>();
    tx.query(
            """
            select id, body from changes where substring(body from 1 for 9) <> $1 order by id limit $2
            for update
            """,
            wrapPrefix,
            limit)
        .forEach(
            row ->
                found.add(new Wrapped(Values.uuid(row, "id"), Values.octets(row, "body").bytes())));
    return found;
  }

  public void rewrap(Tx tx, UUID id, byte[] body) {
    tx.update("update changes set body = $2 where id = $1", id, body);
  }

  private List<Change> all(Iterable<Row> rows) {
    var changes = new ArrayList<Change>();
    rows.forEach(row -> changes.add(read(row)));
    return changes;
  }

  private Change read(Row row) {
    var change =
        new Change(
            Values.uuid(row, "id"),
            Values.text(row, "kind"),
            Values.text(row, "method"),
            Values.text(row, "path"),
            Values.octets(row, "body_sha256"),
            Values.list(row, "agents"),
            Values.textMap(row, "target"),
            Values.text(row, "author"),
            Values.text(row, "reason"),
            Values.instant(row, "created_at"),
            Values.instant(row, "expires_at"),
            Values.constant(row, "state", State.class),
            Values.optionalText(row, "decided_by").map(by -> decision(row, by)),
            Values.optionalText(row, "outcome"),
            Values.number(row, "row_version"),
            true);
    return mac.holds(Values.octets(row, "mac"), TABLE, change.granting())
        ? change
        : change.spoiled();
  }

  private static Decision decision(Row row, String by) {
    return new Decision(by, Values.instant(row, "decided_at"), Values.text(row, "comment"));
  }
}
