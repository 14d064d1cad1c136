package io.penstock.broker.delivery;

import io.penstock.broker.access.Actor;
import io.penstock.broker.delivery.Documents.Newest;
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
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Messages as operators see them, and instructions as they give them.
final class DeliveryDirectory implements DeliveryOperations {
  private final Database database;
  private final MessageTable messages;
  private final AgentTable agents = new AgentTable();
  private final Documents documents;
  private final Instructions instructions;
  private final Roster roster;
  private final Clock clock;

  DeliveryDirectory(
      Database database,
      MessageTable messages,
      Documents documents,
      Instructions instructions,
      Roster roster,
      Clock clock) {
    this.database = database;
    this.messages = messages;
    this.documents = documents;
    this.instructions = instructions;
    this.roster = roster;
    this.clock = clock;
  }

  @Override
  public Optional<List<MessageView>> messages(String agent, long after, int limit) {
    return database.transaction(
        tx ->
            agents
                .find(tx, agent)
                .map(found -> views(tx, found, messages.list(tx, agent, after, limit))));
  }

  private List<MessageView> views(Tx tx, Agent agent, List<Message> waiting) {
    Map<Addressee, Newest> heads =
        documents.newest(
            tx,
            waiting.stream()
                .filter(message -> message.content().kind() != Kind.INSTRUCTION)
                .map(message -> new Addressee(agent.name(), message.generation()))
                .collect(Collectors.toSet()));
    return waiting.stream().map(message -> view(tx, agent, message, heads)).toList();
  }

  private MessageView view(Tx tx, Agent agent, Message message, Map<Addressee, Newest> heads) {
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
        why(tx, agent, message, heads, live, sent));
  }

  private static boolean isOn(Sent sent, LiveSession session) {
    Admission admission = session.admission();
    return sent.slot() == admission.slot() && sent.epoch() == admission.sessionEpoch();
  }

  private String why(
      Tx tx,
      Agent agent,
      Message message,
      Map<Addressee, Newest> heads,
      Optional<Attached> live,
      Optional<Instant> sent) {
    if (message.expiresAt().filter(at -> !at.isAfter(clock.instant())).isPresent()) {
      return "has expired and is about to be dropped";
    }
    if (agent.state() != AgentState.APPROVED) {
      return "agent is " + agent.state().name().toLowerCase(Locale.ROOT);
    }
    if (message.content().kind() != Kind.INSTRUCTION
        && heads.get(new Addressee(agent.name(), message.generation()))
            instanceof Newest.Unanswerable(String why)) {
      return why;
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
    return instructions.give(agent, kind, system, expiresIn, by);
  }

  @Override
  public Map<String, Long> undelivered() {
    return database.transaction(messages::counts);
  }
}
