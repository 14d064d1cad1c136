package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// The last word of each agent about each version, and the documents in which the words were
/// signed, several in one. Rows of the former carry a MAC: reading one whose MAC does not hold
/// throws [TamperedRowException].
public final class ReceiptTable {
  private static final String TABLE = "receipts";
  private static final String SELECT =
      """
      select agent, system, version, outcome, reason, detail, document, received_at, mac
      from receipts
      """;

  private final RowMac mac;

  public ReceiptTable(RowMac mac) {
    this.mac = mac;
  }

  /// A document as its agent signed it.
  ///
  /// @param sha256 how rows and the audit trail name it
  public record Document(String agent, String jws, Octets sha256) {
    public static Document of(String agent, String jws) {
      return new Document(agent, jws, Octets.sha256(jws.getBytes(StandardCharsets.US_ASCII)));
    }
  }

  /// What became of rows that were to be written.
  ///
  /// @param written the versions whose row is a new or another one
  /// @param foreign of those, the versions whose row was not ours
  public record Put(Set<VersionKey> written, Set<VersionKey> foreign) {}

  /// Each row replaces an older one about the same version, of which there is one at most, unless
  /// both say that it was applied: agents prove at every start what they run, which would fill the
  /// database. A row that is not ours is replaced in any case. Documents of what is written stay.
  public Put put(Tx tx, List<ReceiptRow> rows, Collection<Document> documents) {
    Set<VersionKey> written = write(tx, rows);
    List<VersionKey> kept =
        rows.stream().map(ReceiptRow::key).filter(key -> !written.contains(key)).toList();
    Set<VersionKey> foreign = new HashSet<>(kept);
    foreign.removeAll(genuine(tx, kept).keySet());
    if (!foreign.isEmpty()) {
      foreign.forEach(key -> forget(tx, key));
      written.addAll(write(tx, rows.stream().filter(row -> foreign.contains(row.key())).toList()));
    }
    Set<Octets> named =
        rows.stream()
            .filter(row -> written.contains(row.key()))
            .map(ReceiptRow::document)
            .collect(Collectors.toSet());
    List<Document> all =
        documents.stream().filter(document -> named.contains(document.sha256())).toList();
    if (!all.isEmpty()) {
      insert(tx, all);
    }
    return new Put(written, foreign);
  }

  private Set<VersionKey> write(Tx tx, List<ReceiptRow> rows) {
    var written = new HashSet<VersionKey>();
    tx.query(
            """
            insert into receipts (agent, system, version, outcome, reason, detail, document, received_at, mac)
            select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[],
              $8::timestamptz[], $9::bytea[])
            on conflict (agent, system, version) do update set outcome = excluded.outcome,
              reason = excluded.reason, detail = excluded.detail, document = excluded.document,
              received_at = excluded.received_at, mac = excluded.mac
            where receipts.outcome <> 'applied' or excluded.outcome <> 'applied'
            returning agent, system, version
            """,
            rows.stream().map(ReceiptRow::agent).toArray(String[]::new),
            rows.stream().map(ReceiptRow::system).toArray(String[]::new),
            rows.stream().map(ReceiptRow::version).toArray(Long[]::new),
            rows.stream().map(ReceiptRow::outcome).toArray(String[]::new),
            Values.texts(rows, ReceiptRow::reason),
            Values.texts(rows, ReceiptRow::detail),
            Values.octets(rows, ReceiptRow::document),
            Values.times(rows, ReceiptRow::receivedAt),
            Values.octets(rows, row -> mac.of(TABLE, row.granting())))
        .forEach(row -> written.add(key(row)));
    return written;
  }

  private static void insert(Tx tx, List<Document> all) {
    tx.update(
        """
        insert into receipt_documents (agent, sha256, jws)
        select * from unnest($1::text[], $2::bytea[], $3::text[]) on conflict do nothing
        """,
        all.stream().map(Document::agent).toArray(String[]::new),
        Values.octets(all, Document::sha256),
        all.stream().map(Document::jws).toArray(String[]::new));
  }

  /// The rows of those of `versions` that have one.
  public Map<VersionKey, ReceiptRow> of(Tx tx, Collection<VersionKey> versions) {
    var rows = new HashMap<VersionKey, ReceiptRow>();
    stored(tx, versions).forEach(row -> rows.put(key(row), read(row)));
    return rows;
  }

  /// [#of] for whoever takes a row that is not ours for none.
  public Map<VersionKey, ReceiptRow> genuine(Tx tx, Collection<VersionKey> versions) {
    var rows = new HashMap<VersionKey, ReceiptRow>();
    for (Row row : stored(tx, versions)) {
      ReceiptRow receipt = unverified(row);
      if (isOurs(row, receipt)) {
        rows.put(receipt.key(), receipt);
      }
    }
    return rows;
  }

  private static Iterable<Row> stored(Tx tx, Collection<VersionKey> versions) {
    List<VersionKey> keys = List.copyOf(versions);
    if (keys.isEmpty()) {
      return List.of();
    }
    return tx.query(
        SELECT
            + " where (agent, system, version) in"
            + " (select * from unnest($1::text[], $2::text[], $3::bigint[]))",
        keys.stream().map(VersionKey::agent).toArray(String[]::new),
        keys.stream().map(VersionKey::system).toArray(String[]::new),
        keys.stream().map(VersionKey::version).toArray(Long[]::new));
  }

  /// A version that is deployed once more waits for another word; documents stay.
  public void forget(Tx tx, VersionKey version) {
    tx.update(
        "delete from receipts where agent = $1 and system = $2 and version = $3",
        version.agent(),
        version.system(),
        version.version());
  }

  private static VersionKey key(Row row) {
    return new VersionKey(
        Values.text(row, "agent"), Values.text(row, "system"), Values.number(row, "version"));
  }

  public Optional<ReceiptRow> find(Tx tx, String agent, String system, long version) {
    return tx.one(
            SELECT + " where agent = $1 and system = $2 and version = $3", agent, system, version)
        .map(this::read);
  }

  /// The last that came about one system.
  public Optional<ReceiptRow> last(Tx tx, String agent, String system) {
    return tx.one(
            SELECT
                + " where agent = $1 and system = $2"
                + " order by received_at desc, version desc limit 1",
            agent,
            system)
        .map(this::read);
  }

  /// The last that came about each system, by name.
  public List<ReceiptRow> lastOfEach(Tx tx, String agent) {
    var rows = new ArrayList<ReceiptRow>();
    tx.query(
            """
            select distinct on (system) agent, system, version, outcome, reason, detail, document, received_at, mac
            from receipts where agent = $1 order by system, received_at desc, version desc
            """,
            agent)
        .forEach(row -> rows.add(read(row)));
    return rows;
  }

  private static ReceiptRow unverified(Row row) {
    return new ReceiptRow(
        Values.text(row, "agent"),
        Values.text(row, "system"),
        Values.number(row, "version"),
        Values.text(row, "outcome"),
        Values.optionalText(row, "reason"),
        Values.optionalText(row, "detail"),
        Values.octets(row, "document"),
        Values.instant(row, "received_at"));
  }

  private boolean isOurs(Row row, ReceiptRow receipt) {
    return mac.holds(Values.octets(row, "mac"), TABLE, receipt.granting());
  }

  private ReceiptRow read(Row row) {
    ReceiptRow receipt = unverified(row);
    if (!isOurs(row, receipt)) {
      throw new TamperedRowException(
          receipt.agent(),
          "the row of the receipt of "
              + receipt.system()
              + " version "
              + receipt.version()
              + " does not carry our MAC");
    }
    return receipt;
  }
}
