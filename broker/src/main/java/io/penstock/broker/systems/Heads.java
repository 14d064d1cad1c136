package io.penstock.broker.systems;

import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.VerifiedTexts;
import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.HeadManifest.Entry;
import io.penstock.codec.seal.SealException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/// The newest head manifest of each agent (`docs/sealed-configuration.md`, section 4). What it
/// lists is told by its own signature, so no row beside it can add to it.
final class Heads {
  static final Duration LIFE = Duration.ofHours(24);
  static final Duration RENEWED_AFTER = Duration.ofHours(1);

  private final SystemTable table;
  private final BrokerKeys keys;
  private final Clock clock;
  private final VerifiedTexts<HeadManifest> manifests;

  Heads(SystemTable table, BrokerKeys keys, Clock clock) {
    this.table = table;
    this.keys = keys;
    this.clock = clock;
    this.manifests = new VerifiedTexts<>(keys::ownKeyset, HeadManifest::verify);
  }

  /// A row and what its signature says.
  record Verified(HeadRow row, HeadManifest manifest) {}

  /// Signs the next head with one entry changed; the caller has locked the agent.
  HeadRow change(Tx tx, String agent, long generation, Consumer<SortedMap<String, Entry>> change) {
    Optional<Verified> before = table.lockHead(tx, agent).map(this::verified);
    var systems = new TreeMap<String, Entry>();
    before
        .filter(head -> head.row().generation() == generation)
        .ifPresent(head -> systems.putAll(head.manifest().systems()));
    change.accept(systems);
    forgetOldRemovals(tx, agent, systems);
    if (before.isEmpty()) {
      HeadRow first = signed(agent, generation, keys.incarnation(), 1, 0, systems, 1);
      table.insert(tx, first);
      return first;
    }
    HeadRow old = before.get().row();
    HeadRow next = following(old, generation, old.appliedSequence(), systems);
    table.update(tx, next);
    return next;
  }

  /// Removals that the agent has confirmed make room for systems.
  private void forgetOldRemovals(Tx tx, String agent, SortedMap<String, Entry> systems) {
    if (systems.size() <= HeadManifest.MAX_SYSTEMS) {
      return;
    }
    table.list(tx, agent).stream()
        .filter(row -> row.removed() && row.appliedVersion() == row.removedVersion())
        .forEach(row -> systems.remove(row.system()));
    if (systems.size() > HeadManifest.MAX_SYSTEMS) {
      throw Refusal.of(
          Refusal.Reason.TOO_MANY_SYSTEMS,
          "expected at most "
              + HeadManifest.MAX_SYSTEMS
              + " systems of one agent, found "
              + systems.size());
    }
  }

  /// The head for `generation`, signed anew when it is due or when the agent has been enrolled
  /// again: the new generation's lists nothing until secrets are sealed to it. Empty when the agent
  /// never had a system.
  Optional<Verified> current(Tx tx, String agent, long generation) {
    Optional<Verified> found = table.head(tx, agent).map(this::verified);
    if (found.isEmpty() || isFresh(found.get().row(), generation)) {
      return found;
    }
    return table.lockHead(tx, agent).map(this::verified).map(head -> renewed(tx, head, generation));
  }

  /// The newest as they are, without signing or locking anything.
  List<Verified> newest(Tx tx, Collection<String> agents) {
    return table.heads(tx, agents).stream().map(this::verified).toList();
  }

  /// Signs it again if it is still due, and answers the new one.
  Optional<HeadRow> renewWhenDue(Tx tx, String agent) {
    return table
        .lockHead(tx, agent)
        .filter(row -> !isFresh(row, row.generation()))
        .map(this::verified)
        .map(head -> renewed(tx, head, head.row().generation()).row());
  }

  /// Signs it again with the newest key, and answers the new one.
  Optional<HeadRow> resign(Tx tx, String agent) {
    return table
        .lockHead(tx, agent)
        .map(this::verified)
        .map(
            head -> {
              HeadRow old = head.row();
              long applied = old.applied() ? old.sequence() + 1 : old.appliedSequence();
              HeadRow next = following(old, old.generation(), applied, head.manifest().systems());
              table.update(tx, next);
              return next;
            });
  }

  /// One from before a restore says nothing to agents that have seen newer ones.
  private boolean isFresh(HeadRow row, long generation) {
    return row.generation() == generation
        && row.incarnation() >= keys.incarnation()
        && clock.instant().isBefore(row.issuedAt().plus(RENEWED_AFTER));
  }

  private Verified renewed(Tx tx, Verified head, long generation) {
    HeadRow old = head.row();
    if (isFresh(old, generation)) {
      return head;
    }
    var systems = new TreeMap<String, Entry>();
    if (old.generation() == generation) {
      systems.putAll(head.manifest().systems());
    }
    boolean applied = old.applied() || systems.isEmpty();
    long sequence = old.sequence() + 1;
    HeadRow next = following(old, generation, applied ? sequence : old.appliedSequence(), systems);
    table.update(tx, next);
    return verified(next);
  }

  private HeadRow following(
      HeadRow old, long generation, long appliedSequence, SortedMap<String, Entry> systems) {
    return signed(
        old.agent(),
        generation,
        Math.max(old.incarnation(), keys.incarnation()),
        old.sequence() + 1,
        appliedSequence,
        systems,
        old.rowVersion() + 1);
  }

  private HeadRow signed(
      String agent,
      long generation,
      long incarnation,
      long sequence,
      long appliedSequence,
      SortedMap<String, Entry> systems,
      long rowVersion) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Instant end = now.plus(LIFE);
    var manifest =
        new HeadManifest(
            agent,
            generation,
            incarnation,
            sequence,
            now.getEpochSecond(),
            end.getEpochSecond(),
            systems);
    String jws = keys.sign(manifest);
    manifests.signed(agent, jws, manifest);
    return new HeadRow(
        agent, generation, incarnation, sequence, appliedSequence, jws, now, end, rowVersion);
  }

  /// Throws [TamperedRowException] when the row is not what its signature says.
  private Verified verified(HeadRow row) {
    HeadManifest manifest;
    try {
      manifest = manifests.read(row.agent(), row.jws());
    } catch (SealException _) {
      throw new TamperedRowException(row.agent(), "a head manifest that we did not sign");
    }
    boolean same =
        manifest.agent().equals(row.agent())
            && manifest.generation() == row.generation()
            && manifest.incarnation() == row.incarnation()
            && manifest.sequence() == row.sequence()
            && manifest.issuedAtEpochSeconds() == row.issuedAt().getEpochSecond()
            && manifest.expiresAtEpochSeconds() == row.expiresAt().getEpochSecond();
    if (!same) {
      throw new TamperedRowException(row.agent(), "a head manifest of something else");
    }
    return new Verified(row, manifest);
  }
}
