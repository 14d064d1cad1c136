package io.penstock.broker.changes;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.ChangeTable;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.ChangeTable.State;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.Systems;
import io.penstock.codec.seal.Octets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;

/// Takes in what somebody proposes: tried first, so that nothing waits which could not be done now,
/// and bounded by author and in all.
final class Proposals {
  private static final int MAX_WAITING = 1_000;

  private final Database database;
  private final ChangeTable table;
  private final BrokerKeys keys;
  private final Systems systems;
  private final Carrying carrying;
  private final Targets targets;
  private final Accounts accounts;
  private final ChangeRecorder recorder;
  private final BrokerConfig.Changes policy;
  private final Clock clock;

  Proposals(
      Database database,
      ChangeTable table,
      BrokerKeys keys,
      Systems systems,
      Carrying carrying,
      Targets targets,
      Accounts accounts,
      ChangeRecorder recorder,
      BrokerConfig.Changes policy,
      Clock clock) {
    this.database = database;
    this.table = table;
    this.keys = keys;
    this.systems = systems;
    this.carrying = carrying;
    this.targets = targets;
    this.accounts = accounts;
    this.recorder = recorder;
    this.policy = policy;
    this.clock = clock;
  }

  ChangeOutcome propose(
      Operation operation, String reason, Optional<Duration> expiresIn, Actor by) {
    if (!operation.agents().stream().allMatch(agent -> accounts.sees(by, agent))) {
      return new ChangeOutcome.UnknownAgent();
    }
    return switch (operation) {
      case Operation.OfSystem it -> ofSystem(it, reason, expiresIn, by);
      case Operation.Revoke it -> ofRevocation(it, reason, expiresIn, by);
    };
  }

  private ChangeOutcome ofSystem(
      Operation.OfSystem operation, String reason, Optional<Duration> expiresIn, Actor by) {
    Outcome<Map<String, String>> tried =
        systems.tried(
            tx -> {
              Map<String, String> target = targets.of(tx, operation);
              var _ = carrying.out(tx, operation, by);
              return target;
            });
    return switch (tried) {
      case Outcome.Refused<Map<String, String>>(var refusal) -> new ChangeOutcome.Refused(refusal);
      case Outcome.Done<Map<String, String>>(Map<String, String> target) ->
          store(exact(operation, target), target, reason, expiresIn, by);
    };
  }

  /// "The newest" becomes the version that it is now.
  private static Operation exact(Operation.OfSystem operation, Map<String, String> target) {
    return operation instanceof Operation.Deploy it
        ? new Operation.Deploy(
            it.agent(), it.system(), OptionalLong.of(Carrying.deployedBy(target)))
        : operation;
  }

  private ChangeOutcome ofRevocation(
      Operation.Revoke operation, String reason, Optional<Duration> expiresIn, Actor by) {
    var target = new TreeMap<String, String>();
    return targets
        .of(operation, target)
        .orElseGet(() -> store(operation, target, reason, expiresIn, by));
  }

  private ChangeOutcome store(
      Operation operation,
      Map<String, String> target,
      String reason,
      Optional<Duration> expiresIn,
      Actor by) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    Duration longest = policy.expiry();
    byte[] body = operation.body();
    var change =
        new Change(
            UUID.randomUUID(),
            operation.kind(),
            operation.method(),
            operation.path(),
            Octets.sha256(body),
            operation.agents(),
            target,
            by.name(),
            reason,
            now,
            now.plus(expiresIn.filter(it -> it.compareTo(longest) < 0).orElse(longest)),
            State.WAITING,
            Optional.empty(),
            Optional.empty(),
            1,
            true);
    byte[] wrapped = keys.kek().wrap(ChangeBodies.context(change.id()), body);
    return database.transaction(tx -> store(tx, change, wrapped, by));
  }

  private ChangeOutcome store(Tx tx, Change change, byte[] wrapped, Actor by) {
    ChangeTable.Waiting waiting = table.countWaiting(tx, change.author());
    Optional<Change> same =
        table
            .findWaiting(
                tx,
                change.author(),
                change.method(),
                change.path(),
                change.bodySha256(),
                change.createdAt())
            .filter(Change::intact)
            .filter(found -> found.target().equals(change.target()));
    if (same.isPresent()) {
      return new ChangeOutcome.Done(same.get());
    }
    if (waiting.ofAuthor() >= policy.waitingPerAuthor()) {
      return new ChangeOutcome.TooMany("yours", policy.waitingPerAuthor(), waiting.ofAuthor());
    }
    if (waiting.inAll() >= MAX_WAITING) {
      return new ChangeOutcome.TooMany("all", MAX_WAITING, waiting.inAll());
    }
    table.insert(tx, change, wrapped);
    recorder.done(tx, "propose", change, by);
    return new ChangeOutcome.Done(change);
  }
}
