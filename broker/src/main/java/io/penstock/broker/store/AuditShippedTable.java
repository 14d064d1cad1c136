package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// How far the audit trail has got at places outside, and which broker brings it there. The chain
/// itself is the outbox: there is no copy of what waits.
public final class AuditShippedTable {
  private static final String TABLE = "audit_shipped";

  private final RowMac mac;

  public AuditShippedTable(RowMac mac) {
    this.mac = mac;
  }

  /// @param position of the last entry that was acknowledged there
  /// @param hash of that entry
  /// @param checkpoint number of the last one that was acknowledged
  public record Shipped(long position, Octets hash, long checkpoint, long rowVersion) {
    public Shipped to(long newPosition, Octets newHash, long newCheckpoint) {
      return new Shipped(newPosition, newHash, newCheckpoint, rowVersion + 1);
    }
  }

  /// Throws [TamperedRowException] for a row that is not the broker's.
  public Optional<Shipped> find(Tx tx, String sink) {
    return tx.one(
            "select position, hash, checkpoint, row_version, mac from audit_shipped where sink"
                + " = $1",
            sink)
        .map(row -> read(row, sink));
  }

  private Shipped read(Row row, String sink) {
    var shipped =
        new Shipped(
            Values.number(row, "position"),
            Values.octets(row, "hash"),
            Values.number(row, "checkpoint"),
            Values.number(row, "row_version"));
    if (!mac.holds(Values.octets(row, "mac"), TABLE, fields(sink, shipped))) {
      throw new TamperedRowException(
          "", "the row of audit_shipped about " + sink + " is not the broker's");
    }
    return shipped;
  }

  private static List<String> fields(String sink, Shipped shipped) {
    return List.of(
        sink,
        Long.toString(shipped.rowVersion()),
        Long.toString(shipped.position()),
        shipped.hash().hex(),
        Long.toString(shipped.checkpoint()));
  }

  /// The first row about a place; nothing when there is one.
  public void begin(Tx tx, String sink, Shipped shipped) {
    tx.update(
        """
        insert into audit_shipped (sink, position, hash, checkpoint, row_version, mac) values ($1, $2, $3, $4, $5, $6)
        on conflict (sink) do nothing\
        """,
        sink,
        shipped.position(),
        shipped.hash(),
        shipped.checkpoint(),
        shipped.rowVersion(),
        mac.of(TABLE, fields(sink, shipped)));
  }

  /// True when it is the holder's turn from now on for this long: nobody else's time runs. The
  /// server's clock counts. A time further ahead than anybody takes is nobody's.
  public boolean hold(Tx tx, String sink, String holder, Duration time) {
    return tx.update(
            """
            update audit_shipped set holder = $2, held_until = clock_timestamp() + make_interval(secs => $3::float8)
            where sink = $1 and (holder is null or holder = $2
              or held_until not between clock_timestamp() and clock_timestamp() + 2 * make_interval(secs => $3::float8))\
            """,
            sink,
            holder,
            (double) time.toSeconds())
        == 1;
  }

  public void release(Tx tx, String sink, String holder) {
    tx.update(
        "update audit_shipped set holder = null, held_until = null where sink = $1 and holder = $2",
        sink,
        holder);
  }

  /// False when another broker holds it by now, or has moved it: then nothing is changed.
  public boolean move(Tx tx, String sink, String holder, Shipped to) {
    return tx.update(
            """
            update audit_shipped set position = $3, hash = $4, checkpoint = $5, row_version = $6, mac = $7
            where sink = $1 and holder = $2 and row_version = $6 - 1\
            """,
            sink,
            holder,
            to.position(),
            to.hash(),
            to.checkpoint(),
            to.rowVersion(),
            mac.of(TABLE, fields(sink, to)))
        == 1;
  }
}
