package io.penstock.broker.store;

import java.time.Instant;

/// From where a person has signed in before. At most [#KEPT] of each person, the newest.
public final class KnownSourceTable {
  private static final int KEPT = 20;

  public boolean isKnown(Tx tx, String email, String source, Instant since) {
    return tx.one(
            "select 1 from known_sources where user_email = $1 and source = $2 and last_at >= $3",
            email,
            source,
            since)
        .isPresent();
  }

  public void seen(Tx tx, String email, String source, Instant at) {
    tx.update(
        """
        insert into known_sources (user_email, source, last_at) values ($1, $2, $3)
        on conflict (user_email, source) do update set last_at = excluded.last_at\
        """,
        email,
        source,
        at);
    tx.update(
        """
        delete from known_sources where user_email = $1 and source not in
          (select source from known_sources where user_email = $1 order by last_at desc limit $2)\
        """,
        email,
        KEPT);
  }

  /// A new password: whoever has signed in with the old one may have been somebody else.
  public void forget(Tx tx, String email) {
    tx.update("delete from known_sources where user_email = $1", email);
  }
}
