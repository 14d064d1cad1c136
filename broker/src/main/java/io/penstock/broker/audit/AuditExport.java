package io.penstock.broker.audit;

import io.penstock.broker.audit.KnownCheckpoint.Signed;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditChainTable.Unplaced;
import io.penstock.broker.store.AuditChainTable.Whole;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ExportLine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The chain as lines that prove themselves without this broker, a page at a time. It is written
/// down as it is found; who reads it judges.
final class AuditExport {
  private static final int PAGE = 1_000;

  private final Database database;
  private final AuditChainTable table;
  private final BrokerKeys keys;
  private final KnownCheckpoint known;

  AuditExport(Database database, AuditChainTable table, BrokerKeys keys, KnownCheckpoint known) {
    this.database = database;
    this.table = table;
    this.keys = keys;
    this.known = known;
  }

  /// Empty before anything was signed.
  Optional<ExportLine.Header> header() {
    BrokerKeys.Owner owner = keys.owner();
    return known
        .newest()
        .map(
            newest ->
                new ExportLine.Header(
                    owner.root(),
                    owner.rootLinks(),
                    owner.keysetJws(),
                    newest.jws(),
                    newest.checkpoint().position()));
  }

  /// What follows a position, up to another; the last page ends with [ExportLine.End].
  List<ExportLine> page(long after, long upTo) {
    long begin = known.newest().map(Signed::checkpoint).map(it -> it.beginsAfter()).orElse(0L);
    return database.transaction(tx -> page(tx, Math.max(after, begin), upTo, after <= begin));
  }

  private List<ExportLine> page(Tx tx, long after, long upTo, boolean first) {
    var lines = new ArrayList<ExportLine>();
    List<Whole> entries =
        table.page(tx, after, PAGE).stream()
            .filter(it -> it.placed().entry().position() <= upTo)
            .toList();
    boolean last = entries.size() < PAGE;
    long to = last ? upTo : entries.getLast().placed().entry().position();
    table
        .checkpoints(tx, after + 1, to)
        .forEach(stored -> lines.add(new ExportLine.Checkpoint(stored.jws())));
    if (!entries.isEmpty()) {
      addEntries(lines, entries, unplaced(tx, after, first, entries));
    }
    if (last) {
      lines.add(
          new ExportLine.End(
              entries.isEmpty() ? after : entries.getLast().placed().entry().position()));
    }
    return lines;
  }

  private List<Unplaced> unplaced(Tx tx, long after, boolean first, List<Whole> entries) {
    long before =
        first && after == 0
            ? Long.MIN_VALUE
            : table
                .at(tx, after)
                .map(it -> it.entry().id())
                .orElse(entries.getFirst().placed().entry().id());
    return table.unplaced(tx, before, entries.getLast().placed().entry().id(), PAGE);
  }

  private static void addEntries(
      List<ExportLine> lines, List<Whole> entries, List<Unplaced> between) {
    int at = 0;
    for (Whole whole : entries) {
      ChainEntry entry = whole.placed().entry();
      while (at < between.size() && between.get(at).id() < entry.id()) {
        lines.add(new ExportLine.Unchained(between.get(at).id(), between.get(at).found()));
        at++;
      }
      lines.add(new ExportLine.Sealed(entry, whole.found()));
    }
  }
}
