package io.penstock.broker.store;

import java.time.Instant;

/// The signed revocation lists as they were stored. The newest is proven against the keystore, so
/// what stands here alone proves nothing.
public final class RevocationTable {

  /// Empty before the first revocation.
  public Sent<String> newestJws(Tx tx) {
    return tx.sendForOne("select jws from revocation_lists order by counter desc limit 1")
        .map(row -> row.map(it -> Values.text(it, "jws")).orElse(""));
  }

  /// False when a list of this counter is there: another revocation was faster, prepare again.
  public boolean insert(Tx tx, long counter, String jws, Instant at) {
    return tx.update(
            "insert into revocation_lists (counter, jws, created_at) values ($1, $2, $3) on"
                + " conflict do nothing",
            counter,
            jws,
            at)
        == 1;
  }

  /// Puts the keystore's list back over a database that was set back or forged.
  public void restore(Tx tx, long counter, String jws, Instant at) {
    tx.update("delete from revocation_lists where counter >= $1", counter);
    insert(tx, counter, jws, at);
  }
}
