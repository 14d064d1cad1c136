package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Agents as lists show them, with when and where they were last seen, which no MAC covers. What
/// grants something is read and written by [IdentityTable].
public final class AgentTable {
  private static final String COLUMNS =
      """
      name, site, labels, state, generation, created_at, quarantined_reason, revoked_at, connected_at,
      host(last_remote_ip) as last_remote_ip, row_version\
      """;

  /// `generation` is the approved one, 0 before the first approval.
  public record Agent(
      String name,
      String site,
      Map<String, String> labels,
      AgentState state,
      long generation,
      Instant createdAt,
      Optional<String> quarantinedReason,
      Optional<Instant> revokedAt,
      Optional<Instant> connectedAt,
      Optional<String> lastRemoteIp,
      long rowVersion) {
    public Agent {
      labels = Map.copyOf(labels);
    }
  }

  public Optional<Agent> find(Tx tx, String name) {
    return tx.one("select " + COLUMNS + " from agents where name = $1", name).map(AgentTable::read);
  }

  public List<Agent> list(Tx tx) {
    var agents = new ArrayList<Agent>();
    tx.query("select " + COLUMNS + " from agents order by name")
        .forEach(row -> agents.add(read(row)));
    return agents;
  }

  public void connected(Tx tx, List<ConnectionTable.Connection> tunnels) {
    // In the order of their names, as whoever locks more than one of them does.
    tx.update(
        """
        with c as materialized (
          select a.name, n.connected_at, n.remote_ip::inet as remote_ip
          from (select distinct on (agent) agent, connected_at, remote_ip
                from unnest($1::text[], $2::timestamptz[], $3::text[]) as u (agent, connected_at, remote_ip)
                order by agent, connected_at desc) as n
          join agents a on a.name = n.agent order by a.name for no key update of a)
        update agents set connected_at = c.connected_at, last_remote_ip = c.remote_ip from c where agents.name = c.name\
        """,
        tunnels.stream().map(ConnectionTable.Connection::agent).toArray(String[]::new),
        Values.times(tunnels, ConnectionTable.Connection::connectedAt),
        Values.texts(tunnels, ConnectionTable.Connection::remoteIp));
  }

  /// When its last tunnel ended; empty = it never had one.
  public Optional<Instant> lastSeen(Tx tx, String name) {
    return tx.one(
            "select max(coalesce(disconnected_at, alive_at)) as seen from connections where agent ="
                + " $1",
            name)
        .flatMap(row -> Values.optionalInstant(row, "seen"));
  }

  private static Agent read(Row row) {
    return new Agent(
        Values.text(row, "name"),
        Values.text(row, "site"),
        Values.textMap(row, "labels"),
        Values.constant(row, "state", AgentState.class),
        Values.number(row, "generation"),
        Values.instant(row, "created_at"),
        Values.optionalText(row, "quarantined_reason"),
        Values.optionalInstant(row, "revoked_at"),
        Values.optionalInstant(row, "connected_at"),
        Values.optionalText(row, "last_remote_ip"),
        Values.number(row, "row_version"));
  }
}
