package io.penstock.broker.store;

import java.time.Instant;
import java.util.List;

/// Agents that one person revoked without a second one, as long as that matters.
public final class RevocationsAloneTable {
  /// Notes `agents` if that person then has no more than `most` since `since`. Of two at once, one
  /// waits for the other's transaction.
  public boolean take(
      Tx tx, String user, List<String> agents, Instant now, Instant since, int most) {
    tx.query(
        "select pg_advisory_xact_lock(hashtextextended('penstock revocations ' || $1, 0))", user);
    tx.update("delete from revocations_alone where at < $1", since);
    long others =
        tx.one(
                """
                select count(distinct agent) as n from revocations_alone
                where user_email = $1 and agent <> all ($2::text[])
                """,
                user,
                agents)
            .map(row -> Values.number(row, "n"))
            .orElseThrow();
    if (others + agents.size() > most) {
      return false;
    }
    agents.forEach(
        agent ->
            tx.update(
                "insert into revocations_alone (user_email, agent, at) values ($1, $2, $3)",
                user,
                agent,
                now));
    return true;
  }
}
