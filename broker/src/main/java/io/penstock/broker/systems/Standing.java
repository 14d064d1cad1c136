package io.penstock.broker.systems;

import io.penstock.broker.agents.ApprovedAgents;
import io.penstock.broker.agents.ApprovedAgents.Found;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.Refusal.Reason;
import io.penstock.codec.StreamKind;
import io.penstock.codec.seal.AgentRecord;
import java.util.Optional;
import java.util.regex.Pattern;

/// Whom and what an operation is about, or why it is refused.
final class Standing {
  /// What signed documents allow (`docs/sealed-configuration.md`, section 1).
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,63}");

  private final ApprovedAgents agents;

  Standing(ApprovedAgents agents) {
    this.agents = agents;
  }

  Optional<AgentRecord> approved(Tx tx, String agent) {
    return agents.find(tx, agent) instanceof Found.Approved it
        ? Optional.of(it.agentRecord())
        : Optional.empty();
  }

  Found.Approved requireApproved(Tx tx, String agent) {
    return required(agents.find(tx, agent));
  }

  Optional<AgentRecord> lockIfApproved(Tx tx, String agent) {
    return agents.lock(tx, agent) instanceof Found.Approved it
        ? Optional.of(it.agentRecord())
        : Optional.empty();
  }

  /// Every change of an agent's systems begins with it.
  AgentRecord lockApproved(Tx tx, String agent) {
    return required(agents.lock(tx, agent)).agentRecord();
  }

  /// For looking only: any agent there is.
  Found requireKnown(Tx tx, String agent) {
    Found found = agents.find(tx, agent);
    if (found instanceof Found.Unknown) {
      throw unknownAgent();
    }
    return found;
  }

  private static Found.Approved required(Found found) {
    return switch (found) {
      case Found.Approved it -> it;
      case Found.Unknown() -> throw unknownAgent();
      case Found.NotApproved(String state) ->
          throw Refusal.of(
              Reason.AGENT_NOT_APPROVED, "the agent: expected approved, found " + state);
    };
  }

  static void requireSystemName(String system) {
    if (!NAME.matcher(system).matches()) {
      throw Refusal.of(
          Reason.BAD_NAME,
          "system: expected a name of 1 to 63 letters, digits, dots, hyphens or underscores");
    }
    if (system.equals(StreamKind.PROBE_SYSTEM)) {
      throw Refusal.of(
          Reason.BAD_NAME,
          "system: expected another name than " + system + ", which means the agent itself");
    }
  }

  static RefusedException unknownAgent() {
    return Refusal.of(Reason.UNKNOWN_AGENT, "there is no such agent");
  }

  static RefusedException unknownSystem() {
    return Refusal.of(Reason.UNKNOWN_SYSTEM, "there is no such system of this agent");
  }

  static RefusedException unknownVersion(long version) {
    return Refusal.of(Reason.UNKNOWN_VERSION, "the system has no version " + version);
  }
}
