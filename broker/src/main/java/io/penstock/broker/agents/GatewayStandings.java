package io.penstock.broker.agents;

import io.penstock.broker.config.Networks;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.keys.Revocations;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.Tx;
import io.penstock.codec.seal.AgentRecord;
import io.penstock.codec.seal.GatewayTexts;
import io.penstock.codec.seal.GatewayTexts.Binding;
import io.penstock.codec.seal.VerifyingKey;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/// Tells what a gateway without a tunnel is to us: by the signature of its record, then by rows
/// under their MACs, looked at anew with every request.
final class GatewayStandings {
  private final Identities identities;
  private final SignedRecords records;
  private final Revocations revocations;
  private final RevocationGuard guard;
  private final boolean plainBearer;
  private final VerifyingKey nobody;

  /// @param nobody a key that nobody holds
  GatewayStandings(
      Identities identities,
      BrokerKeys keys,
      RevocationGuard guard,
      boolean plainBearer,
      VerifyingKey nobody) {
    this.nobody = nobody;
    this.identities = identities;
    this.records = new SignedRecords(keys);
    this.revocations = keys.revocations();
    this.guard = guard;
    this.plainBearer = plainBearer;
  }

  /// What a gateway is told only after it has shown that it holds an enrolled key.
  sealed interface Standing {
    /// Nobody with such a key.
    record Unknown() implements Standing {}

    record Waiting(AgentKeys keys) implements Standing {}

    /// @param state `rejected`, `revoked`, `quarantined`, `ended`, `plain-bearer-off`,
    ///     `wrong-network`
    record Out(AgentKeys keys, String state) implements Standing {}

    record Known(AgentKeys keys, AgentRecord signed, Binding binding) implements Standing {}
  }

  /// What binds the requests of a generation; empty = it has a tunnel.
  static Optional<Binding> bindingOf(AgentKeys keys) {
    return GatewayTexts.bindingOf(keys.identity().signingPublic(), keys.custody().current().dev());
  }

  /// Whether who asks has shown that it is this generation, by its key.
  interface Holder {
    boolean is(long generation, VerifyingKey key);
  }

  Standing of(Tx tx, String name, Holder holder, InetAddress remote) {
    guard.check(tx);
    Optional<AgentStanding> agent = identities.find(tx, name);
    boolean tried = false;
    for (AgentKeys keys :
        agent.isEmpty() ? List.<AgentKeys>of() : identities.generations(tx, name)) {
      Optional<Binding> binding = bindingOf(keys);
      tried |= binding.isPresent();
      if (binding.isPresent()
          && holder.is(keys.generation(), new VerifyingKey(keys.identity().signingPublic()))) {
        return of(agent.orElseThrow(), keys, binding.get(), remote);
      }
    }
    if (!tried) {
      // A name that nobody has takes as long as one that somebody has.
      var _ = holder.is(0, nobody);
    }
    return new Standing.Unknown();
  }

  private Standing of(AgentStanding agent, AgentKeys keys, Binding binding, InetAddress remote) {
    if (revocations.isRevoked(agent.name())) {
      return new Standing.Out(keys, "revoked");
    }
    if (binding == Binding.BEARER && !plainBearer) {
      return new Standing.Out(keys, "plain-bearer-off");
    }
    return switch (keys.state()) {
      case PENDING -> new Standing.Waiting(keys);
      case REJECTED -> new Standing.Out(keys, "rejected");
      case ENDED -> new Standing.Out(keys, "ended");
      case REVOKED -> new Standing.Out(keys, "revoked");
      case APPROVED -> approved(agent, keys, binding, remote);
    };
  }

  private Standing approved(
      AgentStanding agent, AgentKeys keys, Binding binding, InetAddress remote) {
    AgentRecord signed = records.of(keys);
    return switch (agent.state()) {
      case QUARANTINED -> new Standing.Out(keys, "quarantined");
      case REVOKED -> new Standing.Out(keys, "revoked");
      case PENDING, REJECTED ->
          throw new TamperedException(
              agent.name(), "an approved generation of an agent that is not");
      case APPROVED -> {
        if (keys.generation() != agent.generation()) {
          throw new TamperedException(agent.name(), "two generations are approved");
        }
        yield Networks.of(signed.allowedCidrs()).allow(remote)
            ? new Standing.Known(keys, signed, binding)
            : new Standing.Out(keys, "wrong-network");
      }
    };
  }
}
