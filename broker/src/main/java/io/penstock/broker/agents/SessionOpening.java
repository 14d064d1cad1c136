package io.penstock.broker.agents;

import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentKeys.NextUnlock;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.Sent;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.codec.seal.Octets;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;

/// The one transaction of a new session, after READY showed that the bundle was opened: the epoch
/// that fences older sessions, and the commit that a login by the next unlock key implies.
final class SessionOpening {
  private final Database database;
  private final Identities identities;
  private final EpochTable epochs;
  private final Ledger ledger;
  private final Clock clock;

  SessionOpening(
      Database database, Identities identities, EpochTable epochs, Ledger ledger, Clock clock) {
    this.database = database;
    this.identities = identities;
    this.epochs = epochs;
    this.ledger = ledger;
    this.clock = clock;
  }

  /// @param rotateUnlock the agent's process has not had its rotation yet
  record Opened(AgentKeys keys, long epoch, boolean rotateUnlock) {}

  /// Empty: something was decided about the agent since it was let in.
  Optional<Opened> open(Standing.Known known, ConnectionAttempt attempt) {
    return database.transaction(tx -> open(tx, known, attempt));
  }

  private Optional<Opened> open(Tx tx, Standing.Known known, ConnectionAttempt attempt) {
    String name = known.keys().agent();
    Sent<Optional<AgentStanding>> locked = identities.sendLock(tx, name);
    // Postgres looks for it once the lock is had.
    Sent<Optional<AgentKeys>> approved = identities.sendApproved(tx, name);
    return locked
        .get()
        .filter(agent -> agent.state() == AgentState.APPROVED)
        .filter(agent -> agent.generation() == known.keys().generation())
        .flatMap(_ -> approved.get())
        .filter(keys -> isRegistered(keys, known.unlock().dev()))
        // WELCOME and READY were about the bundle of these keys, and of no later ones.
        .filter(keys -> keys.identity().isSameAs(known.keys().identity()))
        .map(keys -> open(tx, keys, known, attempt));
  }

  private static boolean isRegistered(AgentKeys keys, Octets dev) {
    return keys.custody().current().dev().equals(dev) || isNext(keys, dev);
  }

  private static boolean isNext(AgentKeys keys, Octets dev) {
    return keys.custody()
        .next()
        .map(NextUnlock::unlock)
        .filter(next -> next.dev().equals(dev))
        .isPresent();
  }

  private Opened open(Tx tx, AgentKeys found, Standing.Known known, ConnectionAttempt attempt) {
    AgentKeys keys =
        isNext(found, known.unlock().dev()) ? identities.commitNext(tx, found, now()) : found;
    long epoch = epochs.next(tx, keys.agent(), attempt.request().slot());
    ledger.audit(
        tx,
        Ledger.Entry.of("authentication.success", keys.agent())
            .from(attempt.remote().getHostAddress())
            .with(
                Map.of(
                    "slot", Integer.toString(attempt.request().slot()),
                    "session_epoch", Long.toString(epoch))));
    boolean rotated =
        keys.custody().rotatedBootId().equals(Optional.of(Octets.of(attempt.request().bootId())));
    return new Opened(keys, epoch, !rotated);
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
