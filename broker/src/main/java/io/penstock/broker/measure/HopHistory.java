package io.penstock.broker.measure;

import io.penstock.broker.measure.Measuring.Interval;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.HopTimesTable;
import io.penstock.broker.store.HopTimesTable.Entry;
import io.penstock.broker.store.HopTimesTable.Range;
import io.penstock.broker.store.StoreUnavailableException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.Octets;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps finished intervals in Postgres, first as they are, then summed up to coarser ones,
/// exactly, and takes away what is old. Each node does so for its own rows.
///
/// What Postgres does not take now waits, at most [#MAX_WAITING] rows; beyond, the oldest are
/// dropped and counted. [#accept] never blocks; everything else does, and is called by one thread.
final class HopHistory {
  static final int MAX_WAITING = 50_000;
  private static final Logger LOG = LoggerFactory.getLogger(HopHistory.class);
  private static final int BATCH = 250;
  private static final int ROLL_UPS_AT_ONCE = 200;
  private static final int MAX_ROWS = 100_000;
  private static final Set<Hop> EVERY_HOP = EnumSet.allOf(Hop.class);

  private final Database database;
  private final HopTimesTable table = new HopTimesTable();
  private final String node;
  private final long run;
  private final Clock clock;
  private final int maxWaiting;

  private final Deque<Entry> waiting = new ArrayDeque<>();
  private long dropped;
  private boolean away;

  /// Everything before it was handed over.
  private volatile long completeUntil;

  HopHistory(Database database, String node, Clock clock, int maxWaiting) {
    this.database = database;
    this.node = node;
    this.clock = clock;
    this.maxWaiting = maxWaiting;
    run = clock.millis();
    completeUntil = Resolution.TEN_SECONDS.floor(clock.instant().getEpochSecond());
  }

  /// Takes an interval that is over.
  void accept(Interval interval) {
    synchronized (waiting) {
      interval.rows().stream()
          .map(row -> entry(Resolution.TEN_SECONDS, interval.epochSecond(), row))
          .forEach(waiting::addLast);
      while (waiting.size() > maxWaiting) {
        waiting.removeFirst();
        dropped++;
      }
    }
    completeUntil = interval.epochSecond() + Resolution.TEN_SECONDS.seconds();
  }

  int waiting() {
    synchronized (waiting) {
      return waiting.size();
    }
  }

  long dropped() {
    synchronized (waiting) {
      return dropped;
    }
  }

  /// Writes what waits. Once per absence of Postgres the log says so.
  void flush() {
    for (List<Entry> batch = take(); !batch.isEmpty(); batch = take()) {
      List<Entry> taken = batch;
      try {
        database.repeatable(
            tx -> {
              table.write(tx, taken);
              return true;
            });
        away = false;
      } catch (StoreUnavailableException unreachable) {
        putBack(taken);
        if (!away) {
          LOG.warn("times of calls wait for the database: {}", unreachable.getMessage());
        }
        away = true;
        return;
      }
    }
  }

  private List<Entry> take() {
    synchronized (waiting) {
      var batch = new ArrayList<Entry>();
      while (batch.size() < BATCH && !waiting.isEmpty()) {
        batch.add(waiting.removeFirst());
      }
      return batch;
    }
  }

  private void putBack(List<Entry> batch) {
    synchronized (waiting) {
      batch.reversed().forEach(waiting::addFirst);
    }
  }

  /// Sums up every coarser interval of which all is stored.
  void rollUp() {
    for (Resolution coarse : List.of(Resolution.MINUTE, Resolution.TEN_MINUTES)) {
      Resolution fine = coarse.finer();
      long until = coarse.floor(storedUntil());
      int done = 0;
      while (rollUpNext(fine, coarse, until)) {
        if (++done == ROLL_UPS_AT_ONCE) {
          // The next coarser one has to wait for the rest of this one.
          return;
        }
      }
    }
  }

  private long storedUntil() {
    synchronized (waiting) {
      Entry first = waiting.peekFirst();
      return first == null ? completeUntil : Math.min(completeUntil, first.at().getEpochSecond());
    }
  }

  /// @return whether there was one
  private boolean rollUpNext(Resolution fine, Resolution coarse, long until) {
    return database.repeatable(
        tx -> {
          Instant after =
              table
                  .newest(tx, coarse.seconds(), node)
                  .map(at -> at.plusSeconds(coarse.seconds()))
                  .orElse(Instant.EPOCH);
          Optional<Instant> next = table.oldest(tx, fine.seconds(), node, after);
          if (next.isEmpty()) {
            return false;
          }
          long start = coarse.floor(next.get().getEpochSecond());
          if (start + coarse.seconds() > until) {
            return false;
          }
          rollUp(tx, fine, coarse, start);
          return true;
        });
  }

  private void rollUp(Tx tx, Resolution fine, Resolution coarse, long start) {
    var range =
        new Range(
            fine.seconds(),
            Instant.ofEpochSecond(start),
            Instant.ofEpochSecond(start + coarse.seconds()),
            Optional.empty(),
            Optional.empty(),
            Optional.of(node));
    Map<SeriesKey, HopTimes> sums = new TreeMap<>();
    for (boolean all : List.of(true, false)) {
      for (Entry entry : table.read(tx, range, all, indexes(EVERY_HOP), Integer.MAX_VALUE)) {
        HopRow row = row(entry);
        sums.computeIfAbsent(row.series(), _ -> new HopTimes()).add(row, EVERY_HOP);
      }
    }
    var entries = new ArrayList<Entry>();
    sums.forEach((key, times) -> entries.add(entry(coarse, start, times.encoded(key))));
    for (int i = 0; i < entries.size(); i += BATCH) {
      table.write(tx, entries.subList(i, Math.min(entries.size(), i + BATCH)));
    }
  }

  /// Every node takes away what is old, of all nodes: one of them may never come back.
  void prune() {
    database.run(
        tx -> {
          for (Resolution one : Resolution.values()) {
            // What is not summed up yet is left a while longer.
            Instant before =
                clock.instant().minus(one.kept()).minus(Duration.ofSeconds(one.seconds() * 12L));
            table.dropOlderThan(tx, one.seconds(), before);
          }
        });
  }

  /// The rows of a time, each call in exactly one: coarse ones, and finer ones where nothing
  /// coarser is stored yet.
  ///
  /// @param allOfNode rows of whole nodes, else of single series
  /// @param hops whose times are read
  /// @throws TooMuchException when there are more than [#MAX_ROWS]
  List<Stored> read(Range range, Resolution coarsest, boolean allOfNode, Set<Hop> hops) {
    return database.transaction(
        tx -> {
          var rows = new ArrayList<Stored>();
          Map<String, Long> summedUntil = new TreeMap<>();
          for (Resolution one : coarsest.downToFinest()) {
            Instant from = one == coarsest ? range.from() : laterOf(range.from(), notSummedUp(one));
            var at =
                new Range(
                    one.seconds(), from, range.to(), range.agent(), range.system(), range.node());
            int limit = MAX_ROWS - rows.size() + 1;
            List<Entry> entries = table.read(tx, at, allOfNode, indexes(hops), limit);
            if (entries.size() == limit) {
              throw new TooMuchException();
            }
            Map<String, Long> until = new TreeMap<>(summedUntil);
            for (Entry entry : entries) {
              long start = entry.at().getEpochSecond();
              String series = entry.node() + "/" + entry.agent() + "/" + entry.system();
              if (start >= summedUntil.getOrDefault(series, Long.MIN_VALUE)) {
                rows.add(new Stored(start, entry.node(), row(entry)));
                until.merge(series, start + one.seconds(), Math::max);
              }
            }
            summedUntil = until;
          }
          return rows;
        });
  }

  /// From when on rows of this resolution may not be in the next coarser one yet.
  private Instant notSummedUp(Resolution fine) {
    return clock.instant().minusSeconds(3L * fine.coarser().seconds());
  }

  private static Set<Integer> indexes(Set<Hop> hops) {
    return hops.stream().map(Hop::index).collect(Collectors.toSet());
  }

  private static Instant laterOf(Instant a, Instant b) {
    return a.isAfter(b) ? a : b;
  }

  record Stored(long epochSecond, String node, HopRow row) {}

  private Entry entry(Resolution resolution, long epochSecond, HopRow row) {
    var sums = ByteBuffer.allocate(Hop.COUNT * Long.BYTES);
    var hops = new ArrayList<Optional<Octets>>();
    for (Hop hop : Hop.values()) {
      Optional<Times.Encoded> encoded = Optional.ofNullable(row.encoded().get(hop));
      sums.putLong(encoded.map(Times.Encoded::sumMicros).orElse(0L));
      hops.add(encoded.map(it -> Octets.of(it.histogram())));
    }
    return new Entry(
        resolution.seconds(),
        Instant.ofEpochSecond(epochSecond),
        row.series().agent(),
        row.series().system(),
        node,
        run,
        row.calls(),
        row.errors(),
        row.excessMicros(),
        Octets.of(sums.array()),
        hops);
  }

  private static HopRow row(Entry entry) {
    ByteBuffer sums = ByteBuffer.wrap(entry.sums().bytes());
    var encoded = new EnumMap<Hop, Times.Encoded>(Hop.class);
    for (Hop hop : Hop.values()) {
      long sum = sums.getLong();
      entry
          .hops()
          .get(hop.index())
          .ifPresent(bytes -> encoded.put(hop, new Times.Encoded(sum, bytes.bytes())));
    }
    return new HopRow(
        new SeriesKey(entry.agent(), entry.system()),
        entry.calls(),
        entry.errors(),
        entry.excessMicros(),
        encoded);
  }
}
