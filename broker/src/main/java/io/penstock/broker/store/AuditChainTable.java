package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.codec.audit.AuditRecord;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The places of audit rows, and the checkpoints over them.
///
/// Rows get their numbers from a sequence and commit in any order, so the newest number says
/// nothing about those before it. What does: a transaction asks for its own number before it takes
/// one for a row. When all transactions have ended that were begun before [Mark] was taken, every
/// row up to
/// the mark is there or will never be.
public final class AuditChainTable {
  private static final String TABLE = "audit_chain";
  private static final String CHECKPOINTS = "audit_checkpoints";
  private static final String LOCK = "audit chain";

  private static final String RECORD =
      """
      a.event_id, a.timestamp, a.event_type, a.user_email, a.resource_id, a.action, a.changes::text as changes_text,
      host(a.ip_address) as ip_address, a.user_agent, a.resource, a.result, a.reason, a.approved_by, a.mac as record_mac\
      """;

  /// Only where no unique constraint counts them: an index is looked at for each row.
  private static final String COPIES =
      ", (select count(*) from audit_log as o where o.event_id = a.event_id) as copies";

  private static final String ONE_COPY = ", 1::bigint as copies";
  private static final String FROM = " from audit_log as a";

  private static final String FIRST = " order by a.id limit $3";

  private final RowMac mac;

  public AuditChainTable(RowMac mac) {
    this.mac = mac;
  }

  /// A moment: numbers up to `lastId` were taken by transactions up to `transaction`.
  public record Mark(long lastId, long transaction) {}

  /// @param from every transaction before it has ended
  /// @param to no transaction from it on has ended
  public record UnderWay(long from, long to) {}

  /// A row that has no place yet.
  ///
  /// @param digest of the row
  /// @param signed there is a MAC at all
  /// @param genuine the MAC holds, and no other row says that it is the same event
  public record Unplaced(
      long id, AuditRecord found, Octets digest, boolean signed, boolean genuine) {}

  /// @param genuine the entry's own MAC holds
  public record Placed(ChainEntry entry, boolean genuine) {}

  /// @param found the row of the entry
  /// @param foundGenuine the row's MAC holds
  public record Whole(Placed placed, Optional<AuditRecord> found, boolean foundGenuine) {}

  /// @param genuine the row's MAC holds
  public record StoredCheckpoint(
      long number, long position, Instant issuedAt, String jws, boolean genuine) {}

  /// All that a turn without anything to do looks at.
  ///
  /// @param lastId as [#lastId]
  /// @param position of the last place, and its hash
  /// @param checkpoint number of the newest
  public record Glance(long lastId, long position, Optional<Octets> hash, long checkpoint) {
    public static final Glance NOTHING = new Glance(-1, 0, Optional.empty(), 0);
  }

  public Glance glance(Tx tx) {
    return tx.one(
            """
            select case when s.is_called then s.last_value else 0 end as last_id, coalesce(h.position, 0) as position, h.hash,
              coalesce((select max(number) from audit_checkpoints), 0) as checkpoint
            from audit_log_id_seq as s
            left join (select position, hash from audit_chain order by position desc limit 1) as h on true\
            """)
        .map(
            row ->
                new Glance(
                    Values.number(row, "last_id"),
                    Values.number(row, "position"),
                    Values.optionalOctets(row, "hash"),
                    Values.number(row, "checkpoint")))
        .orElseThrow();
  }

  /// Whether Postgres keeps an event from being stored twice, as it was told to.
  public boolean eventsAreUnique(Tx tx) {
    return tx.one(
            """
            select exists (
              select 1 from pg_constraint as c
              join pg_index as i on i.indexrelid = c.conindid
              join pg_attribute as a on a.attrelid = c.conrelid and a.attname = 'event_id'
              where c.conrelid = 'audit_log'::regclass and c.contype = 'u' and c.convalidated and not c.condeferred
                and c.conkey = array[a.attnum] and i.indisunique and i.indisvalid and i.indisready and i.indislive) as found\
            """)
        .map(row -> Values.flag(row, "found"))
        .orElseThrow();
  }

  /// The highest number given to a row, whatever became of it.
  public long lastId(Tx tx) {
    return number(
        tx, "select case when is_called then last_value else 0 end as n from audit_log_id_seq");
  }

  /// What [#lastId] has said before, and a transaction that begins now.
  public Mark mark(Tx tx, long lastId) {
    return new Mark(lastId, number(tx, "select pg_current_xact_id()::text::bigint as n"));
  }

  public UnderWay underWay(Tx tx) {
    return tx.one(
            """
            select pg_snapshot_xmin(s)::text::bigint as low, pg_snapshot_xmax(s)::text::bigint as high from pg_current_snapshot() as s\
            """)
        .map(row -> new UnderWay(Values.number(row, "low"), Values.number(row, "high")))
        .orElseThrow();
  }

  /// One broker gives places at a time, until its transaction ends. What that transaction says was
  /// done survives a crash of the server, also where others settle for less: a place that was
  /// sealed and is gone would stop the sealing.
  public boolean lock(Tx tx) {
    return tx.one(
            """
            select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as mine,
              case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', true) end as durable\
            """,
            LOCK)
        .map(row -> Values.flag(row, "mine"))
        .orElseThrow();
  }

  /// The last place that was given.
  public Optional<Placed> head(Tx tx) {
    return tx.one(
            "select position, audit_id, kind, hash, mac from audit_chain order by position desc"
                + " limit 1")
        .map(this::placed);
  }

  public Optional<Placed> at(Tx tx, long position) {
    return tx.one(
            "select position, audit_id, kind, hash, mac from audit_chain where position = $1",
            position)
        .map(this::placed);
  }

  private Placed placed(Row row) {
    var entry =
        new ChainEntry(
            Values.number(row, "position"),
            Values.number(row, "audit_id"),
            ChainEntry.Kind.of(Values.text(row, "kind")),
            Values.octets(row, "hash"));
    return new Placed(entry, mac.holds(Values.octets(row, "mac"), TABLE, fields(entry)));
  }

  private static List<String> fields(ChainEntry entry) {
    return List.of(
        Long.toString(entry.position()),
        Long.toString(entry.id()),
        entry.kind().text(),
        entry.hash().hex());
  }

  /// Rows after the last place's number up to another, in order.
  ///
  /// @param unique as [#eventsAreUnique] said
  public List<Unplaced> following(Tx tx, long afterId, long upToId, int limit, boolean unique) {
    return unplaced(
        tx.query(
            "select a.id, "
                + RECORD
                + (unique ? ONE_COPY : COPIES)
                + FROM
                + " where a.id > $1 and a.id <= $2"
                + FIRST,
            afterId,
            upToId,
            limit));
  }

  /// Rows after one number up to another, in order, that have no place.
  public List<Unplaced> unplaced(Tx tx, long afterId, long upToId, int limit) {
    return unplaced(
        tx.query(
            "select a.id, "
                + RECORD
                + COPIES
                + FROM
                + " where a.id > $1 and a.id <= $2 and not exists (select 1 from audit_chain as c"
                + " where c.audit_id = a.id)"
                + FIRST,
            afterId,
            upToId,
            limit));
  }

  private List<Unplaced> unplaced(Iterable<Row> found) {
    var rows = new ArrayList<Unplaced>();
    found.forEach(row -> rows.add(unplaced(row)));
    return rows;
  }

  private Unplaced unplaced(Row row) {
    AuditRecord found = AuditTable.proved(row);
    Octets digest = found.digest();
    Optional<Octets> foundMac = Values.optionalOctets(row, "record_mac");
    boolean genuine =
        Values.number(row, "copies") == 1
            && foundMac.filter(it -> AuditTable.isGenuine(mac, digest, it)).isPresent();
    return new Unplaced(Values.number(row, "id"), found, digest, foundMac.isPresent(), genuine);
  }

  public void append(Tx tx, List<ChainEntry> entries) {
    tx.update(
        """
        insert into audit_chain (position, audit_id, kind, hash, mac)
        select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::bytea[])\
        """,
        entries.stream().map(ChainEntry::position).toArray(Long[]::new),
        entries.stream().map(ChainEntry::id).toArray(Long[]::new),
        entries.stream().map(it -> it.kind().text()).toArray(String[]::new),
        Values.octets(entries, ChainEntry::hash),
        Values.octets(entries, it -> mac.of(TABLE, fields(it))));
  }

  /// Entries after a position, in order, with their rows.
  public List<Whole> page(Tx tx, long afterPosition, int limit) {
    var page = new ArrayList<Whole>();
    tx.query(
            "select c.position, c.audit_id, c.kind, c.hash, c.mac, "
                + RECORD
                + " from (select * from audit_chain where position > $1 order by position limit $2)"
                + " as c left join audit_log as a on a.id = c.audit_id order by c.position",
            afterPosition,
            limit)
        .forEach(row -> page.add(whole(row)));
    return page;
  }

  private Whole whole(Row row) {
    if (row.getUUID("event_id") == null) {
      return new Whole(placed(row), Optional.empty(), false);
    }
    AuditRecord found = AuditTable.proved(row);
    boolean genuine =
        Values.optionalOctets(row, "record_mac")
            .filter(it -> AuditTable.isGenuine(mac, found.digest(), it))
            .isPresent();
    return new Whole(placed(row), Optional.of(found), genuine);
  }

  // Checkpoints.

  public Optional<StoredCheckpoint> newestCheckpoint(Tx tx) {
    return tx.one(
            "select number, position, issued_at, jws, mac from audit_checkpoints order by number"
                + " desc limit 1")
        .map(this::checkpoint);
  }

  /// Those about positions in a range, in order.
  public List<StoredCheckpoint> checkpoints(Tx tx, long fromPosition, long toPosition) {
    var all = new ArrayList<StoredCheckpoint>();
    tx.query(
            "select number, position, issued_at, jws, mac from audit_checkpoints where position >="
                + " $1 and position <= $2 order by position, number",
            fromPosition,
            toPosition)
        .forEach(row -> all.add(checkpoint(row)));
    return all;
  }

  /// The newest one that was signed before a time.
  public Optional<StoredCheckpoint> checkpointBefore(Tx tx, Instant time) {
    return tx.one(
            "select number, position, issued_at, jws, mac from audit_checkpoints where issued_at <"
                + " $1 order by issued_at desc, number desc limit 1",
            time)
        .map(this::checkpoint);
  }

  /// The newest one that was signed before a time and covers nothing beyond a position.
  public Optional<StoredCheckpoint> checkpointBefore(Tx tx, Instant time, long upToPosition) {
    return tx.one(
            "select number, position, issued_at, jws, mac from audit_checkpoints where issued_at <"
                + " $1 and position <= $2 order by issued_at desc, number desc limit 1",
            time,
            upToPosition)
        .map(this::checkpoint);
  }

  /// Those after one of them, in order, that cover nothing beyond a position.
  public List<StoredCheckpoint> checkpointsAfter(Tx tx, long number, long upToPosition, int limit) {
    var all = new ArrayList<StoredCheckpoint>();
    tx.query(
            "select number, position, issued_at, jws, mac from audit_checkpoints where number > $1"
                + " and position <= $2 order by number limit $3",
            number,
            upToPosition,
            limit)
        .forEach(row -> all.add(checkpoint(row)));
    return all;
  }

  public void insertCheckpoint(Tx tx, long number, long position, Instant issuedAt, String jws) {
    tx.update(
        "insert into audit_checkpoints (number, position, issued_at, jws, mac) values"
            + " ($1, $2, $3, $4, $5)",
        number,
        position,
        issuedAt,
        jws,
        mac.of(CHECKPOINTS, fields(number, position, issuedAt, jws)));
  }

  private static List<String> fields(long number, long position, Instant issuedAt, String jws) {
    return List.of(Long.toString(number), Long.toString(position), issuedAt.toString(), jws);
  }

  /// Takes away entries up to a position, and their rows; answers how many, at most `most`.
  public long prune(Tx tx, long upToPosition, long most) {
    return tx.one("select audit_prune($1, $2) as n", upToPosition, most)
        .map(row -> Values.number(row, "n"))
        .orElseThrow();
  }

  private StoredCheckpoint checkpoint(Row row) {
    long number = Values.number(row, "number");
    long position = Values.number(row, "position");
    Instant issuedAt = Values.instant(row, "issued_at");
    String jws = Values.text(row, "jws");
    boolean genuine =
        mac.holds(Values.octets(row, "mac"), CHECKPOINTS, fields(number, position, issuedAt, jws));
    return new StoredCheckpoint(number, position, issuedAt, jws, genuine);
  }

  private static long number(Tx tx, String query) {
    return tx.one(query).map(row -> Values.number(row, "n")).orElseThrow();
  }
}
