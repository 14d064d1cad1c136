package io.penstock.broker.audit;

import io.penstock.broker.store.AuditChainTable;
import io.penstock.broker.store.AuditChainTable.StoredCheckpoint;
import io.penstock.broker.store.AuditChainTable.Whole;
import io.penstock.broker.store.AuditShippedTable.Shipped;
import io.penstock.broker.store.Tx;
import io.penstock.codec.audit.ChainEntry;
import io.penstock.codec.audit.ExportLine;
import io.penstock.codec.seal.Octets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// What goes to Kafka next: entries in their order, each checkpoint behind the last entry that it
/// covers, or as soon afterwards as it is signed. Written down as it is found; who reads it judges.
///
/// @param then how far Kafka is once it has acknowledged all lines
/// @param more there was more than a page
record ShippedPage(List<ShippedLine> lines, Shipped then, boolean more) {
  private static final int ENTRIES = 500;
  private static final int CHECKPOINTS = 200;

  /// One page is all that waits in memory.
  private static final int MAX_SIZE = 4 << 20;

  ShippedPage {
    lines = List.copyOf(lines);
  }

  /// @param newest what everything else is believed by goes with the newest checkpoint
  static ShippedPage after(
      Tx tx, AuditChainTable table, Shipped from, Optional<ExportLine.Header> newest) {
    List<Whole> entries = table.page(tx, from.position(), ENTRIES);
    long upTo = entries.isEmpty() ? from.position() : position(entries.getLast());
    List<StoredCheckpoint> checkpoints =
        table.checkpointsAfter(tx, from.checkpoint(), upTo, CHECKPOINTS);
    return new Building(from, newest).of(entries, checkpoints);
  }

  private static long position(Whole whole) {
    return whole.placed().entry().position();
  }

  private static final class Building {
    private final Shipped from;
    private final Optional<ExportLine.Header> newest;
    private final List<ShippedLine> lines = new ArrayList<>();
    private long position;
    private Octets hash;
    private long checkpoint;
    private int size;

    Building(Shipped from, Optional<ExportLine.Header> newest) {
      this.from = from;
      this.newest = newest;
      position = from.position();
      hash = from.hash();
      checkpoint = from.checkpoint();
    }

    ShippedPage of(List<Whole> entries, List<StoredCheckpoint> checkpoints) {
      Deque<StoredCheckpoint> waiting = new ArrayDeque<>(checkpoints);
      addReached(waiting);
      int taken = 0;
      for (Whole whole : entries) {
        if (size >= MAX_SIZE) {
          break;
        }
        add(whole);
        addReached(waiting);
        taken++;
      }
      boolean more =
          taken == ENTRIES || taken < entries.size() || checkpoints.size() == CHECKPOINTS;
      return new ShippedPage(lines, from.to(position, hash, checkpoint), more);
    }

    private void add(Whole whole) {
      ChainEntry entry = whole.placed().entry();
      add(ShippedLine.entry(new ExportLine.Sealed(entry, whole.found()), hash));
      position = entry.position();
      hash = entry.hash();
    }

    private void addReached(Deque<StoredCheckpoint> waiting) {
      while (!waiting.isEmpty() && waiting.getFirst().position() <= position) {
        StoredCheckpoint next = waiting.removeFirst();
        add(ShippedLine.checkpoint(next.number(), next.position(), line(next)));
        checkpoint = next.number();
      }
    }

    private ExportLine line(StoredCheckpoint stored) {
      Optional<ExportLine> whole =
          newest.filter(it -> it.checkpointJws().equals(stored.jws())).map(it -> it);
      return whole.orElseGet(() -> new ExportLine.Checkpoint(stored.jws()));
    }

    private void add(ShippedLine line) {
      lines.add(line);
      size += line.size();
    }
  }
}
