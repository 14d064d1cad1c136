package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.time.Instant;

/// States that browsers came back with from an identity provider, until they are over, so that each
/// is of use once. Nothing is written when a sign-in begins. Bounded, of all and of one source.
public final class OidcFlowTable {
  private static final int MOST = 10_000;
  private static final int MOST_OF_SOURCE = 1000;

  /// What came of using one.
  public enum Use {
    FIRST,
    AGAIN,
    /// Not used: too many others are not over yet.
    TOO_MANY
  }

  /// @param expires when it is refused by itself
  public Use use(Tx tx, Octets stateHash, String source, Instant expires, Instant now) {
    tx.update("delete from oidc_flows where expires_at <= $1", now);
    boolean full =
        count(tx, "select count(*) as n from oidc_flows") >= MOST
            || count(tx, "select count(*) as n from oidc_flows where source = $1", source)
                >= MOST_OF_SOURCE;
    if (full) {
      return Use.TOO_MANY;
    }
    return tx.one(
                "insert into oidc_flows (state_hash, source, expires_at) values ($1, $2, $3)"
                    + " on conflict do nothing returning expires_at",
                stateHash,
                source,
                expires)
            .isPresent()
        ? Use.FIRST
        : Use.AGAIN;
  }

  private static long count(Tx tx, String sql, Object... arguments) {
    return tx.one(sql, arguments).map(row -> Values.number(row, "n")).orElse(0L);
  }
}
