package io.penstock.broker.agents;

import io.penstock.broker.access.Actor;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AgentTable;
import io.penstock.broker.store.AgentTable.Agent;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.GenerationState;
import io.penstock.broker.store.IdentityTable;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage.SystemRules;
import io.penstock.codec.seal.Octets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// What operators see of agents and do to them: rows, live sessions and decisions brought together.
/// Blocks like every transaction.
final class AgentDirectory implements AgentOperations {
  private final Database database;
  private final AgentTable agents = new AgentTable();
  private final IdentityTable identities = new IdentityTable();
  private final MessageTable messages;
  private final Approval approval;
  private final Quarantine quarantine;
  private final Revocation revocation;
  private final Labelling labelling;
  private final Presence presence;
  private final RoundTrips roundTrips;
  private final LiveSessions live;
  private final Tampering tampering;
  private final Ledger ledger;

  AgentDirectory(
      Database database,
      MessageTable messages,
      Approval approval,
      Quarantine quarantine,
      Revocation revocation,
      Labelling labelling,
      Presence presence,
      RoundTrips roundTrips,
      LiveSessions live,
      Tampering tampering,
      Ledger ledger) {
    this.database = database;
    this.messages = messages;
    this.approval = approval;
    this.quarantine = quarantine;
    this.revocation = revocation;
    this.labelling = labelling;
    this.presence = presence;
    this.roundTrips = roundTrips;
    this.live = live;
    this.tampering = tampering;
    this.ledger = ledger;
  }

  @Override
  public List<AgentView> list() {
    return database.transaction(
        tx -> {
          Map<String, List<AgentKeys>> generations =
              identities.allGenerations(tx).stream()
                  .collect(Collectors.groupingBy(AgentKeys::agent));
          Map<String, Double> availability = presence.availability(tx);
          Map<String, Long> undelivered = messages.counts(tx);
          return agents.list(tx).stream()
              .filter(agent -> generations.containsKey(agent.name()))
              .map(
                  agent ->
                      view(
                          agent,
                          generations.getOrDefault(agent.name(), List.of()),
                          availability.getOrDefault(agent.name(), 0.0),
                          undelivered.getOrDefault(agent.name(), 0L)))
              .toList();
        });
  }

  @Override
  public Optional<AgentView> find(String id) {
    return database.transaction(tx -> find(tx, id));
  }

  private Optional<AgentView> find(Tx tx, String id) {
    List<AgentKeys> generations = identities.generations(tx, id).get();
    return agents
        .find(tx, id)
        .filter(_ -> !generations.isEmpty())
        .map(
            agent ->
                view(agent, generations, presence.availability(tx, id), messages.count(tx, id)));
  }

  /// @param generations newest first, not empty
  private AgentView view(
      Agent agent, List<AgentKeys> generations, double availability, long undelivered) {
    AgentKeys shown =
        generations.stream()
            .filter(keys -> keys.generation() == agent.generation())
            .findFirst()
            .orElse(generations.getFirst());
    Optional<String> pending =
        generations.stream()
            .filter(
                keys ->
                    keys.state() == GenerationState.PENDING
                        && keys.generation() != shown.generation())
            .map(keys -> keys.identity().fingerprint())
            .findFirst();
    List<LiveSession> sessions = live.of(agent.name());
    Optional<LiveSession> session = sessions.stream().findFirst();
    return new AgentView(
        agent.name(),
        agent.site(),
        agent.labels(),
        agent.state().name().toLowerCase(Locale.ROOT),
        session.isPresent(),
        session.map(s -> s.remote().getHostAddress()).or(agent::lastRemoteIp),
        session.map(LiveSession::connectedAt).or(agent::connectedAt),
        availability,
        roundTrips.of(agent.name()),
        enrollment(shown),
        shown.identity().fingerprint(),
        pending,
        agent.generation(),
        GatewayStandings.bindingOf(shown).isPresent() ? 0 : sessions.size(),
        systems(sessions),
        undelivered);
  }

  private static Enrollment enrollment(AgentKeys keys) {
    return new Enrollment(
        keys.origin().method(),
        keys.origin().tokenId().map(Octets::hex),
        keys.origin().at(),
        keys.approval().map(AgentKeys.Approval::by),
        keys.approval().map(AgentKeys.Approval::at));
  }

  private static List<String> systems(List<LiveSession> sessions) {
    return sessions.stream()
        .flatMap(session -> session.rules().systems().stream())
        .map(SystemRules::system)
        .distinct()
        .sorted()
        .toList();
  }

  @Override
  public Outcome approve(String id, String fingerprint, boolean plainBearer, Actor by) {
    return outcome(id, () -> approval.approve(id, fingerprint, plainBearer, by));
  }

  @Override
  public Outcome reject(String id, Actor by) {
    return outcome(id, () -> approval.reject(id, by));
  }

  @Override
  public Outcome revoke(String id, Actor by) {
    return outcome(id, () -> revocation.revoke(id, by));
  }

  @Override
  public Outcome release(String id, String fingerprint, Actor by) {
    return outcome(id, () -> quarantine.release(id, fingerprint, by));
  }

  @Override
  public Outcome disconnect(String id, Actor by) {
    return outcome(id, () -> decideDisconnect(id, by));
  }

  @Override
  public Outcome label(String id, Map<String, Optional<String>> change, Actor by) {
    return outcome(id, () -> labelling.change(id, change, by));
  }

  private Decision decideDisconnect(String id, Actor operator) {
    boolean known =
        database.transaction(
            tx -> {
              if (agents.find(tx, id).isEmpty()) {
                return false;
              }
              ledger.audit(tx, Ledger.Entry.of("gateway.disconnect", id).by(operator));
              return true;
            });
    if (!known) {
      return Decision.UNKNOWN_AGENT;
    }
    live.close(id, ErrorCode.SHUTDOWN, "disconnected by an operator");
    return Decision.DONE;
  }

  private Outcome outcome(String id, Supplier<Decision> decision) {
    return switch (decided(decision)) {
      case DONE -> new Outcome.Done();
      case UNKNOWN_AGENT -> new Outcome.UnknownAgent();
      case WRONG_FINGERPRINT -> new Outcome.FingerprintMismatch();
      case PROOF_MISSING -> new Outcome.ProofMissing();
      case PLAIN_BEARER -> new Outcome.PlainBearer();
      case TOO_MANY_LABELS -> new Outcome.TooManyLabels();
      case WRONG_STATE -> new Outcome.WrongState(state(id));
      case TAMPERED -> new Outcome.WrongState("changed in the database behind the broker's back");
    };
  }

  private Decision decided(Supplier<Decision> decision) {
    try {
      return decision.get();
    } catch (TamperedException found) {
      tampering.report(found);
      return Decision.TAMPERED;
    }
  }

  private String state(String id) {
    return database
        .transaction(tx -> agents.find(tx, id))
        .map(agent -> agent.state().name().toLowerCase(Locale.ROOT))
        .orElse("unknown");
  }
}
