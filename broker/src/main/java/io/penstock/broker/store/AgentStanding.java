package io.penstock.broker.store;

import io.penstock.codec.seal.Octets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One row of `agents`: what an agent is to us.
///
/// @param generation the approved one; 0 before the first approval
public record AgentStanding(
    String name,
    String site,
    Map<String, String> labels,
    AgentState state,
    long generation,
    Instant createdAt,
    Optional<String> quarantinedReason,
    Optional<Instant> revokedAt,
    Octets mac) {

  public AgentStanding {
    labels = Map.copyOf(labels);
  }

  public AgentStanding with(AgentState next) {
    return new AgentStanding(
        name, site, labels, next, generation, createdAt, Optional.empty(), revokedAt, mac);
  }

  public AgentStanding withLabels(Map<String, String> others) {
    return new AgentStanding(
        name, site, others, state, generation, createdAt, quarantinedReason, revokedAt, mac);
  }

  public AgentStanding quarantined(String reason) {
    return new AgentStanding(
        name,
        site,
        labels,
        AgentState.QUARANTINED,
        generation,
        createdAt,
        Optional.of(reason),
        revokedAt,
        mac);
  }

  /// The approval of a generation, with what its token gave.
  public AgentStanding approved(long approvedGeneration, AgentKeys.Place place) {
    return new AgentStanding(
        name,
        place.site(),
        place.labels(),
        AgentState.APPROVED,
        approvedGeneration,
        createdAt,
        Optional.empty(),
        revokedAt,
        mac);
  }

  public AgentStanding revoked(Instant at) {
    return new AgentStanding(
        name,
        site,
        labels,
        AgentState.REVOKED,
        generation,
        createdAt,
        quarantinedReason,
        Optional.of(at),
        mac);
  }

  public AgentStanding withMac(Octets next) {
    return new AgentStanding(
        name, site, labels, state, generation, createdAt, quarantinedReason, revokedAt, next);
  }

  /// What the MAC covers.
  public List<String> granting() {
    return List.of(name, site, MacText.of(labels), state.name(), Long.toString(generation));
  }
}
