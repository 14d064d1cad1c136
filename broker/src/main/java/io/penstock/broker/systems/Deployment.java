package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.broker.delivery.Addressee;
import io.penstock.broker.delivery.MessageQueue;
import io.penstock.broker.delivery.QueueFullException;
import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.SystemTable.VersionKey;
import io.penstock.broker.store.SystemVersion;
import io.penstock.broker.store.SystemVersion.State;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.Refusal.Reason;
import io.penstock.broker.systems.SystemOperations.Queued;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.HeadManifest.Listed;
import io.penstock.codec.seal.HeadManifest.Tombstone;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// Puts versions in force and takes systems away: the next head, the message to the agent, what was
/// under way for the same system, and the audit event, all in one transaction.
final class Deployment {
  private final SystemTable table;
  private final ReceiptTable receipts;
  private final Versions versions;
  private final Heads heads;
  private final Standing standing;
  private final Supplier<MessageQueue> queue;
  private final Recorder recorder;
  private final Clock clock;

  Deployment(
      SystemTable table,
      ReceiptTable receipts,
      Versions versions,
      Heads heads,
      Standing standing,
      Supplier<MessageQueue> queue,
      Recorder recorder,
      Clock clock) {
    this.table = table;
    this.receipts = receipts;
    this.versions = versions;
    this.heads = heads;
    this.standing = standing;
    this.queue = queue;
    this.recorder = recorder;
    this.clock = clock;
  }

  Queued deploy(Tx tx, String agent, String system, OptionalLong wanted, Actor by) {
    AgentRecord approved = standing.lockApproved(tx, agent);
    // The agent's lock keeps other operators away; only receipts may still change this row.
    SystemRow row = table.find(tx, agent, system).orElseThrow(Standing::unknownSystem);
    SystemVersion version = deployable(tx, row, wanted.orElse(row.version()), approved);
    // Also proves that what will be sent is what was signed.
    versions.open(tx, version);
    Instant now = now();
    long sequence =
        queued(
            () ->
                queue
                    .get()
                    .configuration(tx, to(approved), system, version.version(), by.name(), now));
    // What the agent said of it is about the deployment before. Receipts take this row first, too.
    receipts.forget(tx, version.key());
    SystemRow locked = table.lock(tx, agent, system).orElseThrow();
    supersede(tx, row, version.version());
    mark(tx, version.key());
    table.update(tx, locked.deployed(version.version(), approved.generation(), by.name(), now));
    HeadRow head =
        heads.change(
            tx,
            agent,
            approved.generation(),
            systems -> systems.put(system, new Listed(version.version(), version.headerSha256())));
    recorder.done(
        tx,
        "system.deploy",
        agent,
        system,
        by,
        Map.of(
            "version",
            Map.of("old", row.deployedVersion(), "new", version.version()),
            "head_sequence",
            head.sequence(),
            "message_sequence",
            sequence));
    return new Queued(system, version.version(), sequence, "buffered");
  }

  private SystemVersion deployable(Tx tx, SystemRow row, long wanted, AgentRecord approved) {
    if (wanted <= row.removedVersion()) {
      throw Refusal.of(
          Reason.REMOVED,
          "the system was removed by version "
              + row.removedVersion()
              + ": expected a newer one, found "
              + wanted
              + "; roll back to make a new version of it");
    }
    SystemVersion version =
        table
            .version(tx, row.agent(), row.system(), wanted)
            .orElseThrow(() -> Standing.unknownVersion(wanted));
    if (wanted < row.deployedVersion()) {
      throw Refusal.of(
          Reason.OLDER_VERSION,
          "expected version "
              + row.deployedVersion()
              + " or newer, found "
              + wanted
              + ": agents do not go back; roll back to make a new version of it");
    }
    if (version.generation() != approved.generation()) {
      throw Refusal.of(
          Reason.OLD_GENERATION,
          "version "
              + wanted
              + " was made for generation "
              + version.generation()
              + " of the agent, which is now "
              + approved.generation()
              + ": put it again, with its secrets sealed anew");
    }
    return version;
  }

  Queued delete(Tx tx, String agent, String system, Actor by) {
    AgentRecord approved = standing.lockApproved(tx, agent);
    SystemRow row =
        table
            .find(tx, agent, system)
            .filter(found -> !found.removed())
            .orElseThrow(Standing::unknownSystem);
    Instant now = now();
    long tombstone = versions.nextNumber(tx, row);
    long sequence =
        queued(() -> queue.get().removal(tx, to(approved), system, tombstone, by.name(), now));
    SystemRow locked = table.lock(tx, agent, system).orElseThrow();
    supersede(tx, row, tombstone);
    table.update(tx, locked.removed(tombstone, approved.generation(), by.name(), now));
    HeadRow head =
        heads.change(
            tx,
            agent,
            approved.generation(),
            systems -> systems.put(system, Tombstone.at(tombstone)));
    recorder.done(
        tx,
        "system.delete",
        agent,
        system,
        by,
        Map.of(
            "version", tombstone, "head_sequence", head.sequence(), "message_sequence", sequence));
    return new Queued(system, tombstone, sequence, "removed");
  }

  private static Addressee to(AgentRecord approved) {
    return new Addressee(approved.agent(), approved.generation());
  }

  /// Read again under the system's lock: the agent may have wrapped it anew meanwhile.
  private void mark(Tx tx, VersionKey key) {
    SystemVersion version =
        table.version(tx, key.agent(), key.system(), key.version()).orElseThrow();
    if (version.state() != State.BUFFERED) {
      table.changeState(tx, version, State.BUFFERED);
    }
  }

  /// What was deployed before, if its agent has not dealt with it.
  private void supersede(Tx tx, SystemRow row, long by) {
    if (row.deployedVersion() == by) {
      return;
    }
    table
        .version(tx, row.agent(), row.system(), row.deployedVersion())
        .filter(version -> version.state() == State.BUFFERED)
        .filter(version -> receipts.genuine(tx, List.of(version.key())).isEmpty())
        .ifPresent(version -> table.changeState(tx, version, State.SUPERSEDED));
  }

  private static long queued(LongSupplier message) {
    try {
      return message.getAsLong();
    } catch (QueueFullException full) {
      throw Refusal.of(Reason.TOO_MANY_MESSAGES, String.valueOf(full.getMessage()));
    }
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
