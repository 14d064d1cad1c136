package io.penstock.broker.systems;

import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ControlMessage.Rewrapped;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.SealedSecrets;
import io.penstock.codec.seal.SealedSecrets.Wrap;
import java.util.Map;
import java.util.Optional;

/// Stores key wraps that agents made anew after their sealing key was replaced. The signed header
/// does not cover them, and ciphertext and commitment stay.
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
    next.ifPresent(secrets -> table.replaceSealed(tx, row.orElseThrow(), secrets.toJson()));
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
    try {
      var wrap = new Wrap(recipient, Octets.of(told.wrap()));
      return versions
          .open(tx, row)
          .sealed()
          .map(json -> SealedSecrets.fromJson(json).rewrapped(Octets.of(told.replaces()), wrap));
    } catch (SealException _) {
      // Rewrapped already, or not what a wrap looks like.
      return Optional.empty();
    }
  }
}
