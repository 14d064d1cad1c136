package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Every tunnel ever held, with its epoch: who is here, and the availability over a time.
public final class ConnectionTable {

  public record Connection(
      String agent,
      int slot,
      long epoch,
      String node,
      Octets bootId,
      Optional<String> remoteIp,
      Instant connectedAt) {}

  /// Noted twice when the answer to a commit was lost: the second time changes nothing.
  public void open(Tx tx, Connection connection) {
    tx.update(
        """
        insert into connections (agent, slot, epoch, node, boot_id, remote_ip, connected_at, alive_at)
        values ($1, $2, $3, $4, $5, $6::text::inet, $7, $7) on conflict do nothing\
        """,
        connection.agent(),
        connection.slot(),
        connection.epoch(),
        connection.node(),
        connection.bootId(),
        connection.remoteIp(),
        connection.connectedAt());
  }

  /// Ends one tunnel. Its epoch makes a late close of an older session harmless.
  public boolean close(Tx tx, String agent, int slot, long epoch, String reason, Instant at) {
    return tx.update(
            """
            update connections set disconnected_at = $4, alive_at = $4, reason = $5
            where agent = $1 and slot = $2 and epoch = $3 and disconnected_at is null\
            """,
            agent,
            slot,
            epoch,
            at,
            reason)
        == 1;
  }

  /// The node's heartbeat for all its tunnels.
  public int stillAlive(Tx tx, String node, Instant at) {
    return tx.update(
        "update connections set alive_at = $2 where node = $1 and disconnected_at is null",
        node,
        at);
  }

  /// What a killed process of this node left open ends where it was last seen alive.
  public int closeLeftOpen(Tx tx, String node) {
    return tx.update(
        "update connections set disconnected_at = alive_at, reason = 'broker-ended' where node = $1"
            + " and disconnected_at is null",
        node);
  }

  /// Share of the time from `from` to `to` in which at least one tunnel was up, by agent; agents
  /// without any are left out.
  public Map<String, Double> availability(Tx tx, Instant from, Instant to) {
    long seconds = Math.max(1, Duration.between(from, to).toSeconds());
    var shares = new HashMap<String, Double>();
    for (Row row :
        tx.query(
            """
            select agent, sum(extract(epoch from upper(span) - lower(span)))::float8 as up from (
              select agent, unnest(range_agg(tstzrange(greatest(connected_at, $1), least(coalesce(disconnected_at, $2), $2)))) as span
              from connections where connected_at < $2 and coalesce(disconnected_at, $2) > $1 group by agent) as spans
            where not isempty(span) group by agent\
            """,
            from,
            to)) {
      shares.put(Values.text(row, "agent"), Math.min(1.0, row.getDouble("up") / seconds));
    }
    return shares;
  }

  public int dropOlderThan(Tx tx, Instant before) {
    return tx.update("delete from connections where disconnected_at < $1", before);
  }
}
