package io.penstock.broker.delivery;

import io.penstock.broker.access.Actor;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.store.AgentState;
import io.penstock.broker.store.AgentTable;
import io.penstock.broker.store.AgentTable.Agent;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Content;
import io.penstock.broker.store.MessageTable.Kind;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.MessageTable.Sent;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// Messages as operators see them, and instructions as they give them.
final class DeliveryDirectory implements DeliveryOperations {
  private final Database database;
  private final MessageTable messages;
  private final AgentTable agents = new AgentTable();
  private final Outgoing outgoing;
  private final Roster roster;
  private final Audit audit;
  private final Clock clock;

  DeliveryDirectory(
      Database database,
      MessageTable messages,
      Outgoing outgoing,
      Roster roster,
      Audit audit,
      Clock clock) {
    this.database = database;
    this.messages = messages;
    this.outgoing = outgoing;
    this.roster = roster;
    this.audit = audit;
    this.clock = clock;
  }

  @Override
  public Optional<List<MessageView>> messages(String agent, long after, int limit) {
    return database.transaction(
        tx ->
            agents
                .find(tx, agent)
                .map(
                    found ->
                        messages.list(tx, agent, after, limit).stream()
                            .map(message -> view(tx, found, message))
                            .toList()));
  }

  private MessageView view(Tx tx, Agent agent, Message message) {
    Content content = message.content();
    Optional<Attached> live = roster.chosen(agent.name());
    Optional<Instant> sent =
        message
            .sent()
            .filter(last -> live.filter(one -> isOn(last, one.session())).isPresent())
            .map(Sent::at);
    return new MessageView(
        message.sequence(),
        content.kind() == Kind.INSTRUCTION
            ? content.instructionKind().orElseThrow()
            : content.kind().name().toLowerCase(Locale.ROOT),
        content.system(),
        content.version(),
        message.author(),
        message.createdAt(),
        sent,
        message.attempts(),
        message.expiresAt(),
        why(tx, agent, message, live, sent));
  }

  private static boolean isOn(Sent sent, LiveSession session) {
    Admission admission = session.admission();
    return sent.slot() == admission.slot() && sent.epoch() == admission.sessionEpoch();
  }

  private String why(
      Tx tx, Agent agent, Message message, Optional<Attached> live, Optional<Instant> sent) {
    if (message.expiresAt().filter(at -> !at.isAfter(clock.instant())).isPresent()) {
      return "has expired and is about to be dropped";
    }
    if (agent.state() != AgentState.APPROVED) {
      return "agent is " + agent.state().name().toLowerCase(Locale.ROOT);
    }
    if (sent.isPresent()) {
      return "waits for its receipt since " + sent.get();
    }
    if (live.isEmpty()) {
      return offline(tx, agent);
    }
    return "waits behind the messages before it, of which at most "
        + Sender.WINDOW
        + " are under way";
  }

  private String offline(Tx tx, Agent agent) {
    return agents
        .lastSeen(tx, agent.name())
        .map(at -> "agent is offline since " + at)
        .orElse("agent has never been online");
  }

  @Override
  public Outcome instruct(
      String agent,
      InstructionKind kind,
      Optional<String> system,
      Optional<Duration> expiresIn,
      Actor by) {
    try {
      return database.transaction(
          tx ->
              agents
                  .find(tx, agent)
                  .map(found -> instruct(tx, found, kind, system, expiresIn, by))
                  .orElseGet(Outcome.UnknownAgent::new));
    } catch (QueueFullException full) {
      return new Outcome.QueueFull(full.limit(), full.found());
    }
  }

  private Outcome instruct(
      Tx tx,
      Agent agent,
      InstructionKind kind,
      Optional<String> system,
      Optional<Duration> expiresIn,
      Actor by) {
    if (agent.state() != AgentState.APPROVED && agent.state() != AgentState.QUARANTINED) {
      return new Outcome.WrongState(agent.state().name().toLowerCase(Locale.ROOT));
    }
    String id = UUID.randomUUID().toString();
    long sequence =
        outgoing.instruction(
            tx,
            agent.name(),
            new Instruction(id, kind, system.orElse(null)),
            expiresIn,
            by.name(),
            clock.instant());
    var changes = new LinkedHashMap<String, Object>();
    changes.put("kind", kind.text());
    changes.put("id", id);
    changes.put("sequence", sequence);
    changes.put("state", "queued");
    system.ifPresent(name -> changes.put("system", name));
    audit.record(
        tx,
        AuditEvent.of("gateway.instruction", "success")
            .by(by.name())
            .on(agent.name())
            .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource()))
            .changing(changes));
    return new Outcome.Queued(sequence, id);
  }

  @Override
  public Map<String, Long> undelivered() {
    return database.transaction(messages::counts);
  }
}
