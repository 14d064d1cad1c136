package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
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

  /// The end of one tunnel.
  public record Ended(String agent, int slot, long epoch, String reason, Instant at) {}

  /// Noted twice when the answer to a commit was lost: the second time changes nothing. Those of
  /// agents that are gone are left out.
  public void open(Tx tx, List<Connection> all) {
    tx.update(
        """
        insert into connections (agent, slot, epoch, node, boot_id, remote_ip, connected_at, alive_at)
        select c.agent, c.slot, c.epoch, c.node, c.boot_id, c.remote_ip::inet, c.connected_at, c.connected_at
        from unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::timestamptz[])
          as c (agent, slot, epoch, node, boot_id, remote_ip, connected_at)
        join agents on agents.name = c.agent
        order by c.agent
        on conflict do nothing\
        """,
        all.stream().map(Connection::agent).toArray(String[]::new),
        all.stream().map(Connection::slot).toArray(Integer[]::new),
        all.stream().map(Connection::epoch).toArray(Long[]::new),
        all.stream().map(Connection::node).toArray(String[]::new),
        Values.octets(all, Connection::bootId),
        Values.texts(all, Connection::remoteIp),
        Values.times(all, Connection::connectedAt));
  }

  /// A tunnel's epoch makes a late end of an older session harmless.
  ///
  /// @return how many ended by this
  public int close(Tx tx, List<Ended> all) {
    return tx.update(
        """
        update connections as c set disconnected_at = e.at, alive_at = e.at, reason = e.reason
        from unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::timestamptz[]) as e (agent, slot, epoch, reason, at)
        where c.agent = e.agent and c.slot = e.slot and c.epoch = e.epoch and c.disconnected_at is null\
        """,
        all.stream().map(Ended::agent).toArray(String[]::new),
        all.stream().map(Ended::slot).toArray(Integer[]::new),
        all.stream().map(Ended::epoch).toArray(Long[]::new),
        all.stream().map(Ended::reason).toArray(String[]::new),
        Values.times(all, Ended::at));
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

  /// Share of the time from `from`, or since the agent was approved first, to `to` in which at
  /// least one tunnel was up, by agent; agents without any are left out.
  public Map<String, Double> availability(Tx tx, Instant from, Instant to) {
    return shares(tx.query(availability(""), from, to));
  }

  /// The same of one agent, without a look at the others.
  public double availability(Tx tx, String agent, Instant from, Instant to) {
    return shares(tx.query(availability("agent = $3 and"), from, to, agent))
        .getOrDefault(agent, 0.0);
  }

  private static String availability(String whose) {
    return """
    select agent, sum(extract(epoch from upper(span) - lower(span)))::float8 as up,
      extract(epoch from $2 - greatest($1, (select min(g.approved_at) from agent_generations g where g.agent = spans.agent)))::float8 as whole
    from (
      select agent, unnest(range_agg(tstzrange(greatest(connected_at, $1), least(coalesce(disconnected_at, $2), $2)))) as span
      from connections where %s connected_at < $2 and coalesce(disconnected_at, $2) > $1 group by agent) as spans
    where not isempty(span) group by agent\
    """
        .formatted(whose);
  }

  private static Map<String, Double> shares(Iterable<Row> rows) {
    var shares = new HashMap<String, Double>();
    for (Row row : rows) {
      double share = row.getDouble("up") / Math.max(1, row.getDouble("whole"));
      shares.put(Values.text(row, "agent"), Math.min(1.0, share));
    }
    return shares;
  }

  public int dropOlderThan(Tx tx, Instant before) {
    return tx.update("delete from connections where disconnected_at < $1", before);
  }
}
