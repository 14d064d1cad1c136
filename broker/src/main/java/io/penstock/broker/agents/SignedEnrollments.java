package io.penstock.broker.agents;

import io.penstock.broker.store.AgentStanding;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.Tx;
import java.util.Locale;
import java.util.Optional;

/// Answered from rows under our MAC only.
final class SignedEnrollments implements Enrollments {
  private static final String GATEWAY = "a gateway, which has no tunnel";

  private final Identities identities;
  private final Tampering tampering;

  SignedEnrollments(Identities identities, Tampering tampering) {
    this.identities = identities;
    this.tampering = tampering;
  }

  @Override
  public Optional<Enrolled> lock(Tx tx, String agent) {
    try {
      return identities.lock(tx, agent).map(standing -> enrolled(tx, standing));
    } catch (TamperedException found) {
      tx.whenOver(() -> tampering.report(found));
      return Optional.of(new Enrolled(0, SignedApprovals.CHANGED, false));
    }
  }

  /// A quarantined agent hears what waits once it is released.
  private Enrolled enrolled(Tx tx, AgentStanding agent) {
    if (identities.approved(tx, agent).flatMap(GatewayStandings::bindingOf).isPresent()) {
      return new Enrolled(agent.generation(), GATEWAY, false);
    }
    boolean addressable =
        agent.state() == AgentState.APPROVED || agent.state() == AgentState.QUARANTINED;
    return new Enrolled(
        agent.generation(),
        agent.state().name().toLowerCase(Locale.ROOT),
        addressable && agent.generation() > 0);
  }
}
