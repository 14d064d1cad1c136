package io.penstock.broker.store;

import java.util.ArrayList;
import java.util.List;

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

  /// One session's place.
  public record SlotEpoch(String agent, int slot, long epoch) {}

  /// Which of these sessions have a newer one in their slot.
  public List<SlotEpoch> overtaken(Tx tx, List<SlotEpoch> sessions) {
    var overtaken = new ArrayList<SlotEpoch>();
    tx.query(
            """
            select s.agent, s.slot, s.epoch from unnest($1::text[], $2::int[], $3::bigint[]) as s (agent, slot, epoch)
            join session_epochs n on n.agent = s.agent and n.slot = s.slot where n.epoch > s.epoch\
            """,
            sessions.stream().map(SlotEpoch::agent).toArray(String[]::new),
            sessions.stream().map(SlotEpoch::slot).toArray(Integer[]::new),
            sessions.stream().map(SlotEpoch::epoch).toArray(Long[]::new))
        .forEach(
            row ->
                overtaken.add(
                    new SlotEpoch(
                        Values.text(row, "agent"),
                        Math.toIntExact(Values.number(row, "slot")),
                        Values.number(row, "epoch"))));
    return overtaken;
  }
}
