package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/// How many invocations of each system were answered within the objective, per minute and node.
public final class LatencyTable {
  /// Of one system, in one time.
  ///
  /// @param slow beyond the objective
  public record Answered(String subject, long good, long slow) {}

  /// Of one system, in a short time and in a long one.
  public record Windows(
      String subject, long shortGood, long shortSlow, long longGood, long longSlow) {}

  public void add(Tx tx, String node, List<Answered> all, Instant at) {
    tx.update(
        """
        insert into latency_minutes (subject, minute, node, good, slow)
        select subject, $4, $5, good, slow from unnest($1::text[], $2::bigint[], $3::bigint[]) as u (subject, good, slow)
        order by subject
        on conflict (subject, minute, node)
        do update set good = latency_minutes.good + excluded.good, slow = latency_minutes.slow + excluded.slow\
        """,
        all.stream().map(Answered::subject).toArray(String[]::new),
        all.stream().map(Answered::good).toArray(Long[]::new),
        all.stream().map(Answered::slow).toArray(Long[]::new),
        at.truncatedTo(ChronoUnit.MINUTES),
        node);
  }

  /// Of all nodes together, of systems with anything slow in the long time.
  public List<Windows> windows(Tx tx, Instant shortSince, Instant longSince, int limit) {
    var all = new ArrayList<Windows>();
    tx.query(
            """
            select subject,
              coalesce(sum(good) filter (where minute >= $1), 0)::bigint as short_good,
              coalesce(sum(slow) filter (where minute >= $1), 0)::bigint as short_slow,
              sum(good)::bigint as long_good, sum(slow)::bigint as long_slow
            from latency_minutes where minute >= $2 group by subject having sum(slow) > 0
            order by 5 desc, 1 limit $3\
            """,
            shortSince.truncatedTo(ChronoUnit.MINUTES),
            longSince.truncatedTo(ChronoUnit.MINUTES),
            limit)
        .forEach(row -> all.add(read(row)));
    return all;
  }

  public int dropOlderThan(Tx tx, Instant before) {
    return tx.update("delete from latency_minutes where minute < $1", before);
  }

  private static Windows read(Row row) {
    return new Windows(
        Values.text(row, "subject"),
        Values.number(row, "short_good"),
        Values.number(row, "short_slow"),
        Values.number(row, "long_good"),
        Values.number(row, "long_slow"));
  }
}
