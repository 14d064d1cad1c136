package io.penstock.broker.store;

/// The fencing number of each agent's tunnel slots: rises with every admitted session, never goes
/// back.
public final class EpochTable {

  /// Takes the next epoch; two brokers that ask at once get two different ones.
  public long next(Tx tx, String agent, int slot) {
    return tx.one(
            """
            insert into session_epochs (agent, slot, epoch) values ($1, $2, 1)
            on conflict (agent, slot) do update set epoch = session_epochs.epoch + 1 returning epoch\
            """,
            agent,
            slot)
        .map(row -> Values.number(row, "epoch"))
        .orElseThrow();
  }

  /// The newest epoch given out; 0 before the first.
  public long current(Tx tx, String agent, int slot) {
    return tx.one("select epoch from session_epochs where agent = $1 and slot = $2", agent, slot)
        .map(row -> Values.number(row, "epoch"))
        .orElse(0L);
  }
}
