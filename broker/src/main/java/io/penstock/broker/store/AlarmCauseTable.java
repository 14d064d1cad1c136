package io.penstock.broker.store;

import io.vertx.sqlclient.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Looks for causes of alarms in what other tables say. Every answer is bounded, the worst first.
public final class AlarmCauseTable {
  /// An approved agent without a tunnel.
  ///
  /// @param since when its last tunnel ended, or it was approved
  /// @param address where it was seen last
  public record Absent(String agent, Instant since, Optional<String> address) {}

  /// @param address one of those that it comes from
  public record Counted(String name, long count, Optional<String> address) {}

  public record Backlog(String agent, long messages, Instant oldest) {}

  public record StaleHead(String agent, Instant expiredAt) {}

  /// Somebody who got in.
  public record Entered(String user, long failures, Optional<String> address) {}

  /// A channel whose oldest notice does not arrive.
  public record Stuck(String channel, long attempts, Instant since, String error) {}

  /// @param alive a tunnel whose node has not said that it lives since then has ended
  public List<Absent> absentAgents(Tx tx, Instant alive, int limit) {
    return all(
        tx.query(
            """
            select a.name, host(a.last_remote_ip) as address,
              greatest(a.created_at, g.approved_at,
                (select max(disconnected_at) from connections where agent = a.name),
                (select max(alive_at) from connections where agent = a.name and disconnected_at is null)) as since
            from agents a
            left join agent_generations g on g.agent = a.name and g.generation = a.generation
            where a.state = 'approved' and not exists (
              select 1 from connections c where c.agent = a.name and c.disconnected_at is null and c.alive_at >= $1)
            order by 3 limit $2\
            """,
            alive,
            limit),
        row ->
            new Absent(
                Values.text(row, "name"),
                Values.instant(row, "since"),
                Values.optionalText(row, "address")));
  }

  /// Agents that began at least so many tunnels in one slot since then.
  public List<Counted> flapping(Tx tx, Instant since, int least, int limit) {
    return all(
        tx.query(
            """
            select agent as name, max(n) as n, max(address) as address from (
              select agent, slot, count(*) as n, max(host(remote_ip)) as address from connections
              where connected_at > $1 group by agent, slot) as slots
            group by agent having max(n) >= $2 order by 2 desc, agent limit $3\
            """,
            since,
            least,
            limit),
        AlarmCauseTable::counted);
  }

  /// Agents for which more messages wait than `least`, or one from before `old`.
  public List<Backlog> backlogs(Tx tx, int least, Instant old, int limit) {
    return all(
        tx.query(
            """
            select m.agent, count(*) as n, min(m.created_at) as oldest from messages m
            join agents a on a.name = m.agent where a.state = 'approved'
            group by m.agent having count(*) >= $1 or min(m.created_at) < $2 order by 2 desc, m.agent limit $3\
            """,
            least,
            old,
            limit),
        row ->
            new Backlog(
                Values.text(row, "agent"), Values.number(row, "n"), Values.instant(row, "oldest")));
  }

  public List<StaleHead> staleHeads(Tx tx, Instant now, int limit) {
    return all(
        tx.query(
            """
            select h.agent, h.expires_at from heads h join agents a on a.name = h.agent
            where h.expires_at <= $1 and a.state = 'approved' and a.generation = h.generation
            order by h.expires_at limit $2\
            """,
            now,
            limit),
        row -> new StaleHead(Values.text(row, "agent"), Values.instant(row, "expires_at")));
  }

  /// Agents with an alarm of a clone that are in quarantine no more: somebody has decided.
  public List<String> decidedClones(Tx tx, AlarmKind kind) {
    return all(
        tx.query(
            """
            select distinct l.subject as name from alarms l left join agents a on a.name = l.subject
            where l.kind = $1 and l.cleared_at is null and (a.state is null or a.state in ('approved', 'revoked'))\
            """,
            kind),
        row -> Values.text(row, "name"));
  }

  /// Users at whose account at least so many sign-ins failed since then.
  public List<Counted> failedAccounts(Tx tx, Instant since, int least, int limit) {
    return all(
        tx.query(
            """
            select user_email as name, %s as n, max(host(ip_address)) as address from audit_log
            where %s and user_email is not null group by user_email having %1$s >= $2 order by 2 desc, 1 limit $3\
            """
                .formatted(FAILURES, FAILED),
            since,
            least,
            limit),
        AlarmCauseTable::counted);
  }

  /// Addresses from which at least so many sign-ins failed since then.
  ///
  /// @param known those from which somebody has signed in since `long ago`, or the others
  public List<Counted> failedAddresses(
      Tx tx, Instant since, int least, boolean known, Instant longAgo, int limit) {
    return all(
        tx.query(
            """
            select host(f.ip) as name, f.n, host(f.ip) as address from (
              select ip_address as ip, %s as n from audit_log
              where (%s or (event_type = 'authentication.failure' and timestamp > $1 and reason = 'counted'))
                and ip_address is not null
              group by ip_address having %1$s >= $2) as f
            where $3 = exists (select 1 from audit_log s where s.event_type = 'authentication.success'
              and s.timestamp > $4 and s.ip_address = f.ip)
            order by 2 desc, 1 limit $5\
            """
                .formatted(FAILURES, FAILED),
            since,
            least,
            known,
            longAgo,
            limit),
        AlarmCauseTable::counted);
  }

  /// Who signed in since then, from an address that is new for them, when at least so many sign-ins
  /// at their account had failed just before, and no alarm tells of it yet.
  public List<Entered> enteredAfterFailures(
      Tx tx, Instant since, int least, Instant longAgo, AlarmKind kind, int limit) {
    return all(
        tx.query(
            """
            select s.user_email as name, max(f.n) as n, max(host(s.ip_address)) as address from audit_log s
            cross join lateral (
              select %s as n from audit_log where %s and user_email = s.user_email and id < s.id) f
            where s.event_type = 'authentication.success' and s.timestamp > $1 and f.n >= $2
              and not exists (select 1 from audit_log b where b.event_type = 'authentication.success'
                and b.user_email = s.user_email and b.ip_address is not distinct from s.ip_address
                and b.id < s.id and b.timestamp > $3)
              and not exists (select 1 from alarms l where l.kind = $4 and l.subject = 'user ' || s.user_email
                and l.last_at >= s.timestamp)
            group by s.user_email order by 2 desc, 1 limit $5\
            """
                .formatted(FAILURES, FAILED),
            since,
            least,
            longAgo,
            kind,
            limit),
        row ->
            new Entered(
                Values.text(row, "name"),
                Values.number(row, "n"),
                Values.optionalText(row, "address")));
  }

  /// Channels whose oldest notice was tried so often in vain.
  public List<Stuck> stuckChannels(Tx tx, int attempts) {
    return all(
        tx.query(
            """
            select channel, attempts, created_at, coalesce(last_error, '') as last_error from (
              select distinct on (channel) * from alarm_notices order by channel, id) as oldest
            where attempts >= $1 order by channel\
            """,
            attempts),
        row ->
            new Stuck(
                Values.text(row, "channel"),
                Values.number(row, "attempts"),
                Values.instant(row, "created_at"),
                Values.text(row, "last_error")));
  }

  /// Wrong passwords; a row of a flood stands for many.
  private static final String FAILURES = "sum(coalesce((changes->>'count')::bigint, 1))::bigint";

  private static final String FAILED =
      "(event_type = 'authentication.failure' and timestamp > $1"
          + " and reason in ('invalid_credentials', 'too many failed attempts'))";

  private static Counted counted(Row row) {
    return new Counted(
        Values.text(row, "name"), Values.number(row, "n"), Values.optionalText(row, "address"));
  }

  private static <T> List<T> all(Iterable<Row> rows, Function<Row, T> read) {
    var all = new ArrayList<T>();
    rows.forEach(row -> all.add(read.apply(row)));
    return all;
  }
}
