package io.penstock.broker.changes;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.ChangeTable;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import java.util.Optional;
import java.util.UUID;

/// The exact requests, as they rest: under the KEK, for one change alone.
final class ChangeBodies {
  private static final int AT_ONCE = 100;

  private final ChangeTable table;
  private final BrokerKeys keys;

  ChangeBodies(ChangeTable table, BrokerKeys keys) {
    this.table = table;
    this.keys = keys;
  }

  static String context(UUID change) {
    return "change " + change;
  }

  /// Empty when it is gone, or is not what was proposed.
  Optional<byte[]> open(Tx tx, Change change) {
    return table.body(tx, change.id()).flatMap(wrapped -> unwrapped(change, wrapped));
  }

  private Optional<byte[]> unwrapped(Change change, Octets wrapped) {
    byte[] body;
    try {
      body = keys.kek().unwrap(context(change.id()), wrapped.bytes());
    } catch (SealException _) {
      // Another row's, or changed: the caller says so.
      return Optional.empty();
    }
    return Octets.sha256(body).equals(change.bodySha256()) ? Optional.of(body) : Optional.empty();
  }

  /// Carries them over to the newest KEK.
  void rewrap(Tx tx) {
    table
        .bodiesBehind(tx, keys.kek().currentPrefix(), AT_ONCE)
        .forEach(
            old -> {
              try {
                keys.kek()
                    .rewrap(context(old.id()), old.body())
                    .ifPresent(next -> table.rewrap(tx, old.id(), next));
              } catch (SealException _) {
                throw new TamperedChangeException(old.id());
              }
            });
  }
}
