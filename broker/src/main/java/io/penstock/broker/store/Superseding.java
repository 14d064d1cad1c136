package io.penstock.broker.store;

import io.penstock.broker.keys.RowMac;
import io.penstock.broker.store.MessageTable.Kind;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.SystemTable.SystemKey;
import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.broker.store.SystemVersion.State;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Versions whose message was taken away without a receipt: nothing is on its way to the agent any
/// more, so they do not wait for it.
///
/// Locks like every change of systems: messages, which the caller has taken, then systems, then
/// their versions.
public final class Superseding {
  private final SystemTable table;
  private final ReceiptTable receipts;

  public Superseding(RowMac mac) {
    table = new SystemTable(mac);
    receipts = new ReceiptTable(mac);
  }

  /// What still waits of what `taken` messages brought is superseded, in the transaction that took
  /// them. Messages that are not ours, and rows that are not, change nothing.
  public void of(Tx tx, List<Message> taken) {
    List<VersionKey> keys =
        taken.stream()
            .filter(Message::genuine)
            .filter(message -> message.content().kind() == Kind.CONFIGURATION)
            .flatMap(message -> key(message).stream())
            .distinct()
            .toList();
    if (keys.isEmpty()) {
      return;
    }
    lock(tx, keys);
    Set<VersionKey> answered = receipts.genuine(tx, keys).keySet();
    List<SystemVersion> superseded =
        versions(tx, keys).stream()
            .filter(version -> version.state() == State.BUFFERED)
            .filter(version -> !answered.contains(version.key()))
            .map(version -> version.with(State.SUPERSEDED))
            .toList();
    if (!superseded.isEmpty()) {
      table.changeStates(tx, superseded);
    }
  }

  private static Optional<VersionKey> key(Message message) {
    return message
        .content()
        .system()
        .flatMap(
            system ->
                message
                    .content()
                    .version()
                    .map(version -> new VersionKey(message.agent(), system, version)));
  }

  private void lock(Tx tx, List<VersionKey> keys) {
    List<SystemKey> systems = keys.stream().map(VersionKey::of).distinct().toList();
    try {
      var _ = table.lock(tx, systems);
    } catch (TamperedRowException _) {
      // Locked all the same; whoever reads the row for what it says raises the alarm.
    }
  }

  private List<SystemVersion> versions(Tx tx, List<VersionKey> keys) {
    try {
      return table.versions(tx, keys);
    } catch (TamperedRowException _) {
      // One row that is not ours does not keep the others from it.
      return keys.size() == 1
          ? List.of()
          : keys.stream().flatMap(key -> versions(tx, List.of(key)).stream()).toList();
    }
  }
}
