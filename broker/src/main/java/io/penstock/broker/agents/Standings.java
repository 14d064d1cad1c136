package io.penstock.broker.agents;

import io.penstock.broker.config.Networks;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.Revocations;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentKeys.NextUnlock;
import io.penstock.broker.store.AgentKeys.Unlock;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Sent;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.TunnelAuthority.ConnectionAttempt;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.Octets;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/// Tells who comes (design: connection, rotation of U). What grants is the signature of the agent
/// record, then the rows under their MACs; a status column alone grants nothing.
final class Standings {
  private final Database database;
  private final Identities identities;
  private final SignedRecords records;
  private final Revocations revocations;
  private final RevocationGuard guard;
  private final Heads heads;

  Standings(
      Database database,
      Identities identities,
      BrokerKeys keys,
      RevocationGuard guard,
      Heads heads) {
    this.database = database;
    this.identities = identities;
    this.heads = heads;
    this.records = new SignedRecords(keys);
    this.revocations = keys.revocations();
    this.guard = guard;
  }

  /// Throws [TamperedException] for rows that we never wrote.
  Standing of(ConnectionAttempt attempt) {
    return database.transaction(tx -> of(tx, attempt));
  }

  private Standing of(Tx tx, ConnectionAttempt attempt) {
    String name = attempt.request().agent();
    Octets dev = Octets.of(attempt.dev().bytes());
    // Four questions, one wait: a thousand agents that come back at once ask them.
    Runnable checkOfTheRevoked = guard.sendCheck(tx);
    Sent<Optional<AgentStanding>> agent = identities.sendFind(tx, name);
    Sent<Optional<String>> retiredFrom = identities.unchecked().retiredFrom(tx, dev);
    Sent<List<AgentKeys>> generations = identities.sendGenerations(tx, name);
    checkOfTheRevoked.run();
    if (revocations.isRevoked(name)) {
      return new Standing.Revoked();
    }
    Optional<AgentStanding> found = agent.get();
    if (found.isEmpty()) {
      return new Standing.Unknown("unknown-agent");
    }
    // Before anything else is believed of the rows: they may have been put back from an older time.
    if (retiredFrom.get().equals(Optional.of(name))) {
      return new Standing.Cloned();
    }
    return known(tx, found.get(), generations.get(), dev, attempt);
  }

  private Standing known(
      Tx tx,
      AgentStanding agent,
      List<AgentKeys> generations,
      Octets dev,
      ConnectionAttempt attempt) {
    for (AgentKeys generation : generations) {
      Optional<Unlock> unlock = unlock(generation, dev);
      if (unlock.isPresent()) {
        return of(tx, agent, generation, unlock.get(), attempt);
      }
    }
    return new Standing.Unknown("unknown-dev-key");
  }

  /// Octets compare in constant time.
  private static Optional<Unlock> unlock(AgentKeys keys, Octets dev) {
    if (keys.custody().current().dev().equals(dev)) {
      return Optional.of(keys.custody().current());
    }
    return keys.custody().next().map(NextUnlock::unlock).filter(next -> next.dev().equals(dev));
  }

  private Standing of(
      Tx tx, AgentStanding agent, AgentKeys generation, Unlock unlock, ConnectionAttempt attempt) {
    return switch (generation.state()) {
      case PENDING -> new Standing.Waiting(generation);
      case REJECTED -> new Standing.Unknown("rejected");
      case ENDED -> new Standing.Unknown("ended-generation");
      case REVOKED -> new Standing.Revoked();
      case APPROVED -> approved(tx, agent, generation, unlock, attempt);
    };
  }

  private Standing approved(
      Tx tx, AgentStanding agent, AgentKeys generation, Unlock unlock, ConnectionAttempt attempt) {
    AgentRecord signed = records.of(generation);
    return switch (agent.state()) {
      case QUARANTINED -> new Standing.Quarantined();
      case REVOKED -> new Standing.Revoked();
      case PENDING, REJECTED ->
          throw new TamperedException(
              agent.name(), "an approved generation of an agent that is not");
      case APPROVED -> {
        if (generation.generation() != agent.generation()) {
          throw new TamperedException(agent.name(), "two generations are approved");
        }
        yield admissible(tx, generation, signed, unlock, attempt);
      }
    };
  }

  private Standing admissible(
      Tx tx, AgentKeys generation, AgentRecord signed, Unlock unlock, ConnectionAttempt attempt) {
    if (!allows(signed, attempt.remote())) {
      return new Standing.WrongNetwork();
    }
    if (attempt.request().generation() != generation.generation()) {
      return new Standing.Promoted(generation);
    }
    Optional<String> head = heads.newest(tx, generation.agent(), generation.generation());
    return new Standing.Known(generation, signed, unlock, head);
  }

  private static boolean allows(AgentRecord signed, InetAddress remote) {
    return Networks.of(signed.allowedCidrs()).allow(remote);
  }

  /// Whether what an admission relied on is still so.
  boolean stillHolds(AgentKeys admitted) {
    return database.transaction(
        tx ->
            !revocations.isRevoked(admitted.agent())
                && identities
                    .find(tx, admitted.agent())
                    .filter(agent -> agent.state() == AgentState.APPROVED)
                    .filter(agent -> agent.generation() == admitted.generation())
                    .isPresent());
  }
}
