package io.penstock.broker.delivery;

import io.penstock.broker.access.Actor;
import io.penstock.broker.agents.Enrollments;
import io.penstock.broker.agents.Enrollments.Enrolled;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.audit.AuditEvent;
import io.penstock.broker.delivery.DeliveryOperations.Outcome;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.UUID;

/// Instructions as operators give them: each for the one enrollment that is in force, a wipe with a
/// signed order for just that one.
final class Instructions {
  private final Database database;
  private final Outgoing outgoing;
  private final Enrollments enrollments;
  private final Audit audit;
  private final Clock clock;

  Instructions(
      Database database, Outgoing outgoing, Enrollments enrollments, Audit audit, Clock clock) {
    this.database = database;
    this.outgoing = outgoing;
    this.enrollments = enrollments;
    this.audit = audit;
    this.clock = clock;
  }

  Outcome give(
      String agent,
      InstructionKind kind,
      Optional<String> system,
      Optional<Duration> expiresIn,
      Actor by) {
    try {
      return database.repeatable(
          tx ->
              enrollments
                  .lock(tx, agent)
                  .map(found -> give(tx, agent, found, kind, system, expiresIn, by))
                  .orElseGet(Outcome.UnknownAgent::new));
    } catch (QueueFullException full) {
      return new Outcome.QueueFull(full.limit(), full.found());
    }
  }

  private Outcome give(
      Tx tx,
      String agent,
      Enrolled enrolled,
      InstructionKind kind,
      Optional<String> system,
      Optional<Duration> expiresIn,
      Actor by) {
    if (!enrolled.addressable()) {
      return new Outcome.WrongState(enrolled.state());
    }
    String id = UUID.randomUUID().toString();
    Instant now = clock.instant();
    long sequence =
        outgoing.instruction(
            tx,
            agent,
            instruction(enrolled.generation(), id, kind, system),
            expiresIn,
            by.name(),
            now);
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
            .on(agent)
            .from(by.origin().ip(), by.origin().userAgent(), Optional.of(by.origin().resource()))
            .changing(changes));
    return new Outcome.Queued(sequence, id);
  }

  private static Instruction instruction(
      long generation, String id, InstructionKind kind, Optional<String> system) {
    // Of a wipe, the order is signed when it goes out.
    return new Instruction(id, generation, kind, system.orElse(null), null);
  }
}
