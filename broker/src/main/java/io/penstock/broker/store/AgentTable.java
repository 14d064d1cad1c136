package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Agents by name: state, site, labels, and when they were last seen. Their keys are in
/// [GenerationTable].
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

  /// False when the name is taken.
  public boolean insertPending(
      Tx tx, String name, String site, Map<String, String> labels, Instant at) {
    return tx.update(
            "insert into agents (name, site, labels, state, created_at) values ($1, $2, $3,"
                + " 'pending', $4) on conflict do nothing",
            name,
            site,
            labels,
            at)
        == 1;
  }

  public Optional<Agent> find(Tx tx, String name) {
    return tx.one("select " + COLUMNS + " from agents where name = $1", name).map(AgentTable::read);
  }

  /// Keeps every other change of this agent waiting until the transaction ends.
  public Optional<Agent> lock(Tx tx, String name) {
    return tx.one("select " + COLUMNS + " from agents where name = $1 for update", name)
        .map(AgentTable::read);
  }

  public List<Agent> list(Tx tx) {
    var agents = new ArrayList<Agent>();
    tx.query("select " + COLUMNS + " from agents order by name")
        .forEach(row -> agents.add(read(row)));
    return agents;
  }

  /// Moves the agent on if it is in one of `from`.
  public boolean changeState(Tx tx, String name, Set<AgentState> from, AgentState to) {
    return tx.update(
            "update agents set state = $3, quarantined_reason = null, row_version = row_version + 1"
                + " where name = $1 and state = any ($2)",
            name,
            from.stream().map(Stored::text).toList(),
            to)
        == 1;
  }

  public boolean quarantine(Tx tx, String name, String reason) {
    return tx.update(
            """
            update agents set state = 'quarantined', quarantined_reason = $2, row_version = row_version + 1
            where name = $1 and state = 'approved'\
            """,
            name,
            reason)
        == 1;
  }

  public boolean approve(Tx tx, String name, long generation) {
    return tx.update(
            """
            update agents set state = 'approved', generation = $2, quarantined_reason = null, row_version = row_version + 1
            where name = $1 and state <> 'revoked'\
            """,
            name,
            generation)
        == 1;
  }

  public boolean revoke(Tx tx, String name, Instant at) {
    return tx.update(
            "update agents set state = 'revoked', revoked_at = $2, row_version = row_version + 1"
                + " where name = $1 and state <> 'revoked'",
            name,
            at)
        == 1;
  }

  public boolean changePlace(Tx tx, String name, String site, Map<String, String> labels) {
    return tx.update(
            "update agents set site = $2, labels = $3, row_version = row_version + 1 where name ="
                + " $1",
            name,
            site,
            labels)
        == 1;
  }

  public void connected(Tx tx, String name, Instant at, Optional<String> remoteIp) {
    tx.update(
        "update agents set connected_at = $2, last_remote_ip = $3::text::inet where name = $1",
        name,
        at,
        remoteIp);
  }

  /// A never approved agent whose enrollment lapsed; its name is free again.
  public boolean deleteNeverApproved(Tx tx, String name) {
    return tx.update(
            "delete from agents where name = $1 and generation = 0 and state in ('pending',"
                + " 'rejected')",
            name)
        == 1;
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
