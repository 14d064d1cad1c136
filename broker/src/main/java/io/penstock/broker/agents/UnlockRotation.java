package io.penstock.broker.agents;

import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentKeys.NextUnlock;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.ControlChannel;
import io.penstock.broker.tunnel.TunnelRefused;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.UnlockCommit;
import io.penstock.codec.message.ControlMessage.UnlockNext;
import io.penstock.codec.message.ControlMessage.UnlockStored;
import io.penstock.codec.noise.PublicKey;
import io.penstock.codec.seal.Octets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/// The broker's half of giving an agent's process a new unlock secret (`docs/protocol.md`, section
/// 2; design: rotation of U). Until UNLOCK_COMMIT, or a login by it, both current and next open the
/// agent's identity, so that it can die after any step.
///
/// Fenced by the session epoch: a session that was overtaken stores nothing any more.
final class UnlockRotation {
  /// The agent writes a file and waits for the disk.
  private static final Duration WITHIN = Duration.ofSeconds(30);

  private final Database database;
  private final Identities identities;
  private final EpochTable epochs;
  private final Bundles bundles;
  private final Doorway doorway;
  private final Ledger ledger;
  private final Clock clock;

  UnlockRotation(
      Database database,
      Identities identities,
      EpochTable epochs,
      Bundles bundles,
      Doorway doorway,
      Ledger ledger,
      Clock clock) {
    this.database = database;
    this.identities = identities;
    this.epochs = epochs;
    this.bundles = bundles;
    this.doorway = doorway;
    this.ledger = ledger;
    this.clock = clock;
  }

  /// The session that rotates.
  record Session(AgentKeys keys, int slot, long epoch, Octets bootId) {}

  enum Step {
    DONE,
    /// A newer session of this agent and slot, or a decision about it, came between.
    OVERTAKEN,
    /// Another epoch than the one after the current, or a key that somebody has or had.
    REFUSED
  }

  void run(Session session, ControlChannel channel) throws TunnelRefused {
    UnlockNext next = channel.receive(UnlockNext.class, WITHIN);
    require(doorway.through(() -> store(session, next)));
    channel.send(new UnlockStored(next.unlockEpoch()));
    UnlockCommit commit = channel.receive(UnlockCommit.class, WITHIN);
    require(doorway.through(() -> commit(session, commit.unlockEpoch())));
  }

  private static void require(Step step) throws TunnelRefused {
    switch (step) {
      case DONE -> {}
      case OVERTAKEN -> throw new TunnelRefused(ErrorCode.REPLACED, 0, "a newer session took over");
      case REFUSED ->
          throw new TunnelRefused(ErrorCode.PROTOCOL_ERROR, 0, "an unlock key out of order");
    }
  }

  private Step store(Session session, UnlockNext message) {
    return database.transaction(
        tx -> {
          Optional<AgentKeys> held = held(tx, session);
          return held.isEmpty() ? Step.OVERTAKEN : store(tx, held.get(), session, message);
        });
  }

  private Step store(Tx tx, AgentKeys keys, Session session, UnlockNext message) {
    Octets dev = Octets.of(message.devKey());
    Optional<Octets> storedBefore = keys.custody().next().map(next -> next.unlock().dev());
    boolean again = storedBefore.equals(Optional.of(dev));
    boolean known = !again && identities.unchecked().devKeyKnown(tx, dev);
    if (message.unlockEpoch() != keys.custody().unlockEpoch() + 1 || known) {
      return Step.REFUSED;
    }
    if (!again) {
      // It was registered once: whoever comes with it later has an old copy.
      storedBefore.ifPresent(old -> identities.unchecked().retire(tx, keys, old, now()));
    }
    var unlock =
        bundles.wrap(
            keys.agent(),
            keys.generation(),
            new PublicKey(message.devKey()),
            message.innerBundle());
    identities.update(
        tx, keys.with(keys.custody().stored(new NextUnlock(unlock, session.bootId()))));
    return Step.DONE;
  }

  private Step commit(Session session, long unlockEpoch) {
    return database.transaction(
        tx -> {
          Optional<AgentKeys> held = held(tx, session);
          return held.isEmpty() ? Step.OVERTAKEN : commit(tx, held.get(), session, unlockEpoch);
        });
  }

  private Step commit(Tx tx, AgentKeys keys, Session session, long unlockEpoch) {
    boolean ours =
        keys.custody().next().map(NextUnlock::bootId).equals(Optional.of(session.bootId()));
    if (!ours || unlockEpoch != keys.custody().unlockEpoch() + 1) {
      return Step.REFUSED;
    }
    identities.commitNext(tx, keys, now());
    ledger.audit(tx, Ledger.Entry.of("gateway.rotate", keys.agent()));
    return Step.DONE;
  }

  /// The generation, as long as the session has not been overtaken.
  private Optional<AgentKeys> held(Tx tx, Session session) {
    String agent = session.keys().agent();
    return identities
        .lock(tx, agent)
        .filter(standing -> standing.state() == AgentState.APPROVED)
        .filter(standing -> standing.generation() == session.keys().generation())
        .filter(_ -> epochs.current(tx, agent, session.slot()) == session.epoch())
        .flatMap(standing -> identities.approved(tx, standing))
        // The agent wraps the bundle that WELCOME brought: one of replaced keys may not come back.
        .filter(keys -> keys.identity().isSameAs(session.keys().identity()));
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
