package io.penstock.broker.systems;

import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.Versions.Opened;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Wrap;
import java.util.Map;
import java.util.Optional;

/// Stores key wraps that agents made anew after their sealing key was replaced. The signed header
/// does not cover them, and ciphertext and commitment stay. An agent replaces its own wrap and no
/// other: nobody without the DEK can check a wrap, so a recovery key's would be lost.
final class Rewraps {
  private final SystemTable table;
  private final Versions versions;
  private final Standing standing;
  private final Recorder recorder;

  Rewraps(SystemTable table, Versions versions, Standing standing, Recorder recorder) {
    this.table = table;
    this.versions = versions;
    this.standing = standing;
    this.recorder = recorder;
  }

  /// False: nothing to change, because it is done already or about something else.
  boolean record(Tx tx, String agent, long generation, Rewrapped told) {
    Optional<Octets> present = sealingKeyOf(tx, agent, generation);
    if (!present.equals(Optional.of(Octets.of(told.recipient())))) {
      return false;
    }
    Octets recipient = present.orElseThrow();
    // Receipts change the same row, and hold this.
    var _ = table.lock(tx, agent, told.system());
    Optional<SystemVersion> row =
        table
            .version(tx, agent, told.system(), told.version())
            .filter(found -> found.generation() == generation)
            .filter(found -> found.headerSha256().equals(Octets.of(told.headerSha256())));
    Optional<SealedSecrets> next = row.flatMap(found -> rewrapped(tx, found, recipient, told));
    next.ifPresent(
        secrets -> table.replaceSealed(tx, row.orElseThrow(), secrets.toJson(), recipient));
    next.ifPresent(
        _ ->
            recorder.told(
                tx,
                "system.rewrapped",
                "success",
                agent,
                told.system(),
                Map.of("version", told.version(), "recipient", recipient.hex()),
                Optional.empty()));
    return next.isPresent();
  }

  private Optional<Octets> sealingKeyOf(Tx tx, String agent, long generation) {
    return standing
        .lockIfApproved(tx, agent)
        .filter(approved -> approved.generation() == generation)
        .map(approved -> SealedSecrets.recipientOf(approved.sealingPublic()));
  }

  private Optional<SealedSecrets> rewrapped(
      Tx tx, SystemVersion row, Octets recipient, Rewrapped told) {
    Opened opened = versions.open(tx, row);
    Octets replaces = Octets.of(told.replaces());
    if (!opened.agentRecipient().equals(Optional.of(replaces))) {
      reportForeign(tx, opened, replaces);
      return Optional.empty();
    }
    try {
      var wrap = new Wrap(recipient, Octets.of(told.wrap()));
      return opened.secrets().map(secrets -> secrets.rewrapped(replaces, wrap));
    } catch (SealException _) {
      // Not what a wrap looks like.
      return Optional.empty();
    }
  }

  /// No honest agent does that. A wrap that is not there any more was replaced before.
  private void reportForeign(Tx tx, Opened opened, Octets replaces) {
    boolean there =
        opened.recipients().stream().anyMatch(recipient -> recipient.keyId().equals(replaces));
    if (there && opened.agentRecipient().isPresent()) {
      recorder.foreignWrap(tx, opened.row(), replaces);
    }
  }
}
