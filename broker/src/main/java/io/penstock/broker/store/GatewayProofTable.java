package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.time.Instant;

/// Which assertions and proofs of gateways were used, on any broker of this database, for as long
/// as somebody would believe them. Of one gateway a bounded number.
public final class GatewayProofTable {
  /// What came of using one.
  public enum Use {
    FIRST,
    AGAIN,
    /// The gateway has used too many within their life.
    TOO_MANY
  }

  /// @param id SHA-256 over what it is for and its id
  /// @param most of one gateway
  public Use use(Tx tx, String agent, Octets id, Instant now, Instant expires, int most) {
    boolean first =
        tx.update(
                """
                insert into gateway_proofs (agent, id_sha256, expires_at)
                select $1, $2, $3 where (
                  select count(*) from gateway_proofs where agent = $1 and expires_at > $4) < $5
                on conflict do nothing
                """,
                agent,
                id,
                expires,
                now,
                (long) most)
            == 1;
    if (first) {
      return Use.FIRST;
    }
    boolean known =
        tx.one(
                "select 1 as found from gateway_proofs where agent = $1 and id_sha256 = $2",
                agent,
                id)
            .isPresent();
    return known ? Use.AGAIN : Use.TOO_MANY;
  }

  public int dropExpired(Tx tx, Instant now) {
    return tx.update("delete from gateway_proofs where expires_at <= $1", now);
  }
}
