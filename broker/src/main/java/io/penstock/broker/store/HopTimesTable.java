package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// How long calls took, as histograms by interval, series and node.
public final class HopTimesTable {
  /// The columns of histograms, in the order of [Entry#hops] and of [Entry#sums].
  private static final List<String> HOPS =
      List.of("broker", "tunnel", "agent_time", "system_time", "body", "total", "failed");

  private static final String KEY = "resolution_s, at, agent, system, node, run";

  /// @param run of the node, so that two of them do not overwrite each other
  /// @param sums 8 bytes for each hop
  /// @param hops compressed histograms; empty = no call had this hop
  public record Entry(
      int resolutionSeconds,
      Instant at,
      String agent,
      String system,
      String node,
      long run,
      long calls,
      long errors,
      long excessMicros,
      Octets sums,
      List<Optional<Octets>> hops) {
    public Entry {
      hops = List.copyOf(hops);
      if (hops.size() != HOPS.size()) {
        throw new IllegalArgumentException(
            "expected " + HOPS.size() + " hops, found " + hops.size());
      }
    }
  }

  /// Which entries; empty = any.
  ///
  /// @param from inclusive
  /// @param to exclusive
  public record Range(
      int resolutionSeconds,
      Instant from,
      Instant to,
      Optional<String> agent,
      Optional<String> system,
      Optional<String> node) {}

  /// Written again after an answer was lost, they are as they were.
  public void write(Tx tx, List<Entry> entries) {
    var hops = new Buffer[HOPS.size()][entries.size()];
    for (int row = 0; row < entries.size(); row++) {
      for (int hop = 0; hop < HOPS.size(); hop++) {
        hops[hop][row] =
            entries.get(row).hops().get(hop).map(it -> Buffer.buffer(it.bytes())).orElse(null);
      }
    }
    tx.update(
        "insert into hop_times ("
            + KEY
            + ", calls, errors, excess_micros, sums, "
            + String.join(", ", HOPS)
            + ") select * from unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[],"
            + " $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[],"
            + " $11::bytea[], $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[],"
            + " $16::bytea[], $17::bytea[]) on conflict do nothing",
        entries.stream().map(Entry::resolutionSeconds).toArray(Integer[]::new),
        Values.times(entries, Entry::at),
        entries.stream().map(Entry::agent).toArray(String[]::new),
        entries.stream().map(Entry::system).toArray(String[]::new),
        entries.stream().map(Entry::node).toArray(String[]::new),
        entries.stream().map(Entry::run).toArray(Long[]::new),
        entries.stream().map(Entry::calls).toArray(Long[]::new),
        entries.stream().map(Entry::errors).toArray(Long[]::new),
        entries.stream().map(Entry::excessMicros).toArray(Long[]::new),
        Values.octets(entries, Entry::sums),
        hops[0],
        hops[1],
        hops[2],
        hops[3],
        hops[4],
        hops[5],
        hops[6]);
  }

  /// In the order of time.
  ///
  /// @param allOfNode the entries that sum up a node, else those of single series
  /// @param hops places of those that are wanted; of the others the entries have none
  public List<Entry> read(Tx tx, Range range, boolean allOfNode, Set<Integer> hops, int limit) {
    var entries = new ArrayList<Entry>();
    tx.query(
            "select "
                + KEY
                + ", calls, errors, excess_micros, sums, "
                + columns(hops)
                + " from hop_times where resolution_s = $1 and at >= $2 and at < $3"
                + " and (agent = '') = $4 and ($5::text is null or agent = $5)"
                + " and ($6::text is null or system = $6) and ($7::text is null or node = $7)"
                + " order by at limit $8",
            range.resolutionSeconds(),
            range.from(),
            range.to(),
            allOfNode,
            range.agent(),
            range.system(),
            range.node(),
            limit)
        .forEach(row -> entries.add(read(row)));
    return entries;
  }

  private static String columns(Set<Integer> hops) {
    return IntStream.range(0, HOPS.size())
        .mapToObj(i -> hops.contains(i) ? HOPS.get(i) : "null::bytea as " + HOPS.get(i))
        .collect(Collectors.joining(", "));
  }

  /// The newest interval of a node at a resolution.
  public Optional<Instant> newest(Tx tx, int resolutionSeconds, String node) {
    return tx.one(
            "select max(at) as newest from hop_times where resolution_s = $1 and agent = ''"
                + " and system = '' and node = $2",
            resolutionSeconds,
            node)
        .flatMap(row -> Values.optionalInstant(row, "newest"));
  }

  /// The oldest interval of a node at a resolution, from `from` on.
  public Optional<Instant> oldest(Tx tx, int resolutionSeconds, String node, Instant from) {
    return tx.one(
            "select min(at) as oldest from hop_times where resolution_s = $1 and agent = ''"
                + " and system = '' and node = $2 and at >= $3",
            resolutionSeconds,
            node,
            from)
        .flatMap(row -> Values.optionalInstant(row, "oldest"));
  }

  public int dropOlderThan(Tx tx, int resolutionSeconds, Instant before) {
    return tx.update(
        "delete from hop_times where resolution_s = $1 and at < $2", resolutionSeconds, before);
  }

  private static Entry read(Row row) {
    return new Entry(
        (int) Values.number(row, "resolution_s"),
        Values.instant(row, "at"),
        Values.text(row, "agent"),
        Values.text(row, "system"),
        Values.text(row, "node"),
        Values.number(row, "run"),
        Values.number(row, "calls"),
        Values.number(row, "errors"),
        Values.number(row, "excess_micros"),
        Values.octets(row, "sums"),
        HOPS.stream().map(hop -> Values.optionalOctets(row, hop)).toList());
  }
}
