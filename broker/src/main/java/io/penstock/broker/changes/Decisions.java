package io.penstock.broker.changes;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Permission;
import io.penstock.broker.store.ChangeTable;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.ChangeTable.Decision;
import io.penstock.broker.store.ChangeTable.State;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.Refusal;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.Systems;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;

/// Yes or no to what waits. Yes to a change of a system is one transaction with the change itself:
/// either both are there or neither.
final class Decisions {
  /// May be over a moment later: the change goes on waiting.
  private static final Set<Refusal.Reason> MAY_PASS =
      EnumSet.of(
          Refusal.Reason.TOO_MANY_MESSAGES,
          Refusal.Reason.TOO_MANY_SYSTEMS,
          Refusal.Reason.AGENT_NOT_APPROVED,
          Refusal.Reason.ROW_TAMPERED);

  private final Database database;
  private final ChangeTable table;
  private final ChangeBodies bodies;
  private final Systems systems;
  private final Carrying carrying;
  private final Targets targets;
  private final JointRevocation revocation;
  private final Accounts accounts;
  private final ChangeRecorder recorder;
  private final Clock clock;

  Decisions(
      Database database,
      ChangeTable table,
      ChangeBodies bodies,
      Systems systems,
      Carrying carrying,
      Targets targets,
      JointRevocation revocation,
      Accounts accounts,
      ChangeRecorder recorder,
      Clock clock) {
    this.database = database;
    this.table = table;
    this.bodies = bodies;
    this.systems = systems;
    this.carrying = carrying;
    this.targets = targets;
    this.revocation = revocation;
    this.accounts = accounts;
    this.recorder = recorder;
    this.clock = clock;
  }

  /// Ends a transaction in which the change turned out not to wait any more.
  private static final class NotWaitingException extends RuntimeException {
    private final State state;

    NotWaitingException(State state) {
      super(state.text(), null, false, false);
      this.state = state;
    }
  }

  /// Ends a transaction on something else than what the change was proposed for.
  private static final class TargetChangedException extends RuntimeException {
    private final String what;

    TargetChangedException(String what) {
      super(what, null, false, false);
      this.what = what;
    }
  }

  /// @param readers reads what rests as what it asks for
  ChangeOutcome approve(UUID id, String comment, Actor by, RequestReader readers) {
    Optional<Change> found = database.transaction(tx -> visible(tx, id, by));
    if (found.isEmpty()) {
      return new ChangeOutcome.UnknownChange();
    }
    Change change = found.get();
    Optional<ChangeOutcome> hindrance = hindrance("approve", change, by);
    if (hindrance.isPresent()) {
      return hindrance.get();
    }
    if (!mayStillBeProposed(change)) {
      recorder.denied("approve", change, by, "author-may-not");
      return new ChangeOutcome.AuthorMayNot();
    }
    byte[] body =
        database.transaction(
            tx ->
                bodies
                    .open(tx, change)
                    .orElseThrow(() -> new TamperedChangeException(change.id())));
    return carriedOut(change, readers.read(change.method(), change.path(), body), comment, by);
  }

  private ChangeOutcome carriedOut(Change change, Operation operation, String comment, Actor by) {
    try {
      return switch (operation) {
        case Operation.OfSystem it -> ofSystem(change, it, comment, by);
        case Operation.Revoke _ -> ofRevocation(change, comment, by);
      };
    } catch (NotWaitingException over) {
      return new ChangeOutcome.WrongState(over.state.text());
    } catch (TargetChangedException other) {
      return failed(
          change, by, "target-changed", other.what, new ChangeOutcome.TargetChanged(other.what));
    }
  }

  private ChangeOutcome ofSystem(
      Change change, Operation.OfSystem operation, String comment, Actor by) {
    Actor acting = by.onBehalfOf(change.author());
    Outcome<Change> done =
        systems.within(
            operation.kind(),
            operation.agent(),
            operation.system(),
            acting,
            tx -> {
              Change waiting = lockWaiting(tx, change.id());
              requireSame(waiting.target(), targets.of(tx, operation));
              JsonObject result = carrying.out(tx, operation, acting);
              Change executed =
                  waiting.decided(
                      State.EXECUTED, decision(by, comment), Optional.of(result.encode()));
              table.update(tx, executed);
              recorder.done(tx, "approve", executed, by);
              return executed;
            });
    return switch (done) {
      case Outcome.Done<Change>(Change executed) -> new ChangeOutcome.Done(executed);
      case Outcome.Refused<Change>(Refusal refusal) -> refused(change, by, refusal);
    };
  }

  private ChangeOutcome refused(Change change, Actor by, Refusal refusal) {
    var outcome = new ChangeOutcome.Refused(refusal);
    if (MAY_PASS.contains(refusal.reason())) {
      recorder.denied("approve", change, by, refusal.reason().text());
      return outcome;
    }
    return failed(change, by, refusal.reason().text(), refusal.detail(), outcome);
  }

  /// Agents are ended one by one, each for good: what is begun is carried on, also by the next
  /// broker.
  private ChangeOutcome ofRevocation(Change change, String comment, Actor by) {
    requireSame(change.target(), targets.now(change.target()));
    Change approved =
        database.transaction(
            tx -> {
              Change next =
                  lockWaiting(tx, change.id())
                      .decided(State.APPROVED, decision(by, comment), Optional.empty());
              table.update(tx, next);
              recorder.done(tx, "approve", next, by);
              return next;
            });
    return new ChangeOutcome.Done(revocation.carryOut(approved, by.onBehalfOf(change.author())));
  }

  private ChangeOutcome failed(
      Change change, Actor by, String title, String detail, ChangeOutcome outcome) {
    String problem = new JsonObject().put("title", title).put("detail", detail).encode();
    try {
      database.run(
          tx -> {
            Change next =
                lockWaiting(tx, change.id())
                    .decided(State.FAILED, decision(by, ""), Optional.of(problem));
            table.update(tx, next);
            recorder.failed(tx, next, by, title + ": " + detail);
          });
    } catch (NotWaitingException over) {
      return new ChangeOutcome.WrongState(over.state.text());
    }
    return outcome;
  }

  ChangeOutcome reject(UUID id, String comment, Actor by) {
    return ended(
        id, "reject", State.REJECTED, comment, by, change -> hindrance("reject", change, by));
  }

  ChangeOutcome withdraw(UUID id, String comment, Actor by) {
    return ended(
        id,
        "withdraw",
        State.WITHDRAWN,
        comment,
        by,
        change ->
            change.author().equals(by.name())
                ? Optional.empty()
                : Optional.of(new ChangeOutcome.NotTheAuthor()));
  }

  private ChangeOutcome ended(
      UUID id,
      String verb,
      State state,
      String comment,
      Actor by,
      Function<Change, Optional<ChangeOutcome>> judge) {
    Optional<Change> found = database.transaction(tx -> visible(tx, id, by));
    if (found.isEmpty()) {
      return new ChangeOutcome.UnknownChange();
    }
    Optional<ChangeOutcome> hindrance = judge.apply(found.get());
    if (hindrance.isPresent()) {
      return hindrance.get();
    }
    try {
      return database.transaction(
          tx -> {
            Change next =
                lockWaiting(tx, id).decided(state, decision(by, comment), Optional.empty());
            table.update(tx, next);
            recorder.done(tx, verb, next, by);
            return new ChangeOutcome.Done(next);
          });
    } catch (NotWaitingException over) {
      return new ChangeOutcome.WrongState(over.state.text());
    }
  }

  private Optional<Change> visible(Tx tx, UUID id, Actor by) {
    Optional<Change> found =
        table
            .find(tx, id)
            .filter(
                change ->
                    accounts
                        .agentsOf(tx, by)
                        .map(mine -> mine.containsAll(change.agents()))
                        .orElse(true));
    if (found.filter(change -> !change.intact()).isPresent()) {
      throw new TamperedChangeException(id);
    }
    return found;
  }

  /// Why `by` cannot be the second person.
  private Optional<ChangeOutcome> hindrance(String verb, Change change, Actor by) {
    if (change.author().equals(by.name())) {
      recorder.denied(verb, change, by, "own-change");
      return Optional.of(new ChangeOutcome.OwnChange());
    }
    Permission needed = Operation.needsOf(change.kind());
    if (!by.may(needed)) {
      recorder.denied(verb, change, by, "needs " + needed.text());
      return Optional.of(new ChangeOutcome.Lacks(needed));
    }
    return change.state() == State.WAITING
        ? Optional.empty()
        : Optional.of(new ChangeOutcome.WrongState(change.state().text()));
  }

  /// A proposal does not outlive its author's rights.
  private boolean mayStillBeProposed(Change change) {
    return accounts
        .whoMay(Set.of(Permission.CHANGES_CREATE), change.agents())
        .contains(change.author());
  }

  private Change lockWaiting(Tx tx, UUID id) {
    Change change = table.lock(tx, id).orElseThrow(() -> new NotWaitingException(State.EXPIRED));
    if (!change.intact()) {
      throw new TamperedChangeException(id);
    }
    if (change.state() != State.WAITING) {
      throw new NotWaitingException(change.state());
    }
    if (!clock.instant().isBefore(change.expiresAt())) {
      throw new NotWaitingException(State.EXPIRED);
    }
    return change;
  }

  private static void requireSame(Map<String, String> expected, Map<String, String> found) {
    Targets.difference(expected, found)
        .ifPresent(
            what -> {
              throw new TargetChangedException(what);
            });
  }

  private Decision decision(Actor by, String comment) {
    return new Decision(by.name(), now(), comment);
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
