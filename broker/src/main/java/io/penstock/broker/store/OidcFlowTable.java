package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.time.Instant;

/// Sign-ins that are at an identity provider. Bounded: beyond [#MOST] of all, or too many of one
/// source, none begins until others are over.
public final class OidcFlowTable {
  private static final int MOST = 10_000;

  /// What came of beginning one.
  public enum Opened {
    DONE,
    TOO_MANY_OF_SOURCE,
    TOO_MANY
  }

  /// @param mostOfSource how many of one source may be under way
  public Opened open(
      Tx tx, Octets stateHash, String source, int mostOfSource, Instant expires, Instant now) {
    tx.update("delete from oidc_flows where expires_at <= $1", now);
    if (count(tx, "select count(*) as n from oidc_flows where source = $1", source)
        >= mostOfSource) {
      return Opened.TOO_MANY_OF_SOURCE;
    }
    if (count(tx, "select count(*) as n from oidc_flows") >= MOST) {
      return Opened.TOO_MANY;
    }
    tx.update(
        "insert into oidc_flows (state_hash, source, expires_at) values ($1, $2, $3)",
        stateHash,
        source,
        expires);
    return Opened.DONE;
  }

  private static long count(Tx tx, String sql, Object... arguments) {
    return tx.one(sql, arguments).map(row -> Values.number(row, "n")).orElse(0L);
  }

  /// True once, for one that is not over.
  public boolean take(Tx tx, Octets stateHash, Instant now) {
    return tx.one("delete from oidc_flows where state_hash = $1 returning expires_at", stateHash)
        .filter(row -> now.isBefore(Values.instant(row, "expires_at")))
        .isPresent();
  }
}
