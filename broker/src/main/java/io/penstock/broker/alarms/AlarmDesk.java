package io.penstock.broker.alarms;

import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.store.AlarmKind;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Alarm;
import io.penstock.broker.store.AlarmTable.Filter;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.SilenceTable;
import io.penstock.broker.store.SilenceTable.Silence;
import io.penstock.broker.store.Tx;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// Shows alarms and silences within somebody's scope, and writes down what they do.
final class AlarmDesk implements AlarmOperations {
  private final Database database;
  private final Accounts accounts;
  private final Audit audit;
  private final Supplier<Optional<Instant>> lookedAt;
  private final Clock clock;
  private final AlarmTable table = new AlarmTable();
  private final SilenceTable silences = new SilenceTable();

  AlarmDesk(
      Database database,
      Accounts accounts,
      Audit audit,
      Supplier<Optional<Instant>> lookedAt,
      Clock clock) {
    this.database = database;
    this.accounts = accounts;
    this.audit = audit;
    this.lookedAt = lookedAt;
    this.clock = clock;
  }

  @Override
  public List<Seen> list(Query query, Actor by) {
    return database.transaction(
        tx -> {
          List<Silence> holding = silences.list(tx, clock.instant());
          return table
              .list(
                  tx,
                  new Filter(
                      query.state(),
                      query.severity(),
                      query.kind(),
                      query.subject(),
                      accounts.agentsOf(tx, by),
                      query.before(),
                      query.limit()))
              .stream()
              .map(alarm -> seen(alarm, holding, by))
              .toList();
        });
  }

  @Override
  public Optional<Seen> find(long id, Actor by) {
    return database.transaction(
        tx -> known(tx, id, by).map(alarm -> seen(alarm, silences.list(tx, clock.instant()), by)));
  }

  private Optional<Alarm> known(Tx tx, long id, Actor by) {
    return table.find(tx, id).filter(alarm -> isInScope(tx, alarm.subject(), by));
  }

  private boolean isInScope(Tx tx, String subject, Actor by) {
    return accounts
        .agentsOf(tx, by)
        .map(agents -> agents.contains(AlarmTable.agentOf(subject)))
        .orElse(true);
  }

  private Seen seen(Alarm alarm, List<Silence> holding, Actor by) {
    Instant now = clock.instant();
    boolean silenced =
        holding.stream().anyMatch(it -> it.holds(alarm.kind(), alarm.subject(), now));
    return new Seen(alarm, silenced, AlarmAction.of(alarm, by));
  }

  @Override
  public Acknowledged acknowledge(long id, String note, Actor by) {
    return database.transaction(
        tx -> {
          Optional<Alarm> found = known(tx, id, by);
          if (found.isEmpty()) {
            return new Acknowledged.Unknown();
          }
          if (!table.acknowledge(tx, id, by.name(), note, clock.instant())) {
            return new Acknowledged.Already();
          }
          Alarm alarm = found.get();
          audit.record(
              tx,
              Accounts.event("alarm.acknowledge", by, alarm.subject())
                  .changing(Map.of("id", id, "kind", alarm.kind(), "note", note)));
          List<Silence> holding = silences.list(tx, clock.instant());
          return new Acknowledged.Done(seen(table.find(tx, id).orElseThrow(), holding, by));
        });
  }

  @Override
  public List<Silence> silences(Actor by) {
    return database.transaction(
        tx ->
            silences.list(tx, clock.instant()).stream()
                .filter(it -> isInScope(tx, it.subject().orElse(""), by))
                .toList());
  }

  @Override
  public Silenced silence(
      Optional<String> kind, Optional<String> subject, Instant until, String reason, Actor by) {
    Instant now = clock.instant();
    if (kind.isEmpty() && subject.isEmpty()) {
      return new Silenced.Everything();
    }
    if (kind.isPresent() && kind.flatMap(AlarmKind::of).isEmpty()) {
      return new Silenced.UnknownKind();
    }
    if (!until.isAfter(now) || until.isAfter(now.plus(LONGEST_SILENCE))) {
      return new Silenced.WrongTime();
    }
    return database.transaction(
        tx -> {
          if (!isInScope(tx, subject.orElse(""), by)) {
            return new Silenced.OutOfScope();
          }
          var _ = silences.dropExpired(tx, now);
          if (silences.count(tx) >= MAX_SILENCES) {
            return new Silenced.Full();
          }
          Silence made = silences.insert(tx, kind, subject, until, reason, now, by.name());
          audit.record(
              tx,
              Accounts.event("alarm.silence", by, text(made))
                  .changing(Map.of("id", made.id(), "until", until.toString(), "reason", reason)));
          return new Silenced.Done(made);
        });
  }

  private static String text(Silence silence) {
    return silence.kind().orElse("every kind") + " about " + silence.subject().orElse("anything");
  }

  @Override
  public boolean unsilence(long id, Actor by) {
    return database.transaction(
        tx -> {
          Optional<Silence> found =
              silences.find(tx, id).filter(it -> isInScope(tx, it.subject().orElse(""), by));
          found.ifPresent(
              silence -> {
                var _ = silences.delete(tx, id);
                audit.record(
                    tx,
                    Accounts.event("alarm.unsilence", by, text(silence))
                        .changing(Map.of("id", id)));
              });
          return found.isPresent();
        });
  }

  @Override
  public Optional<Instant> lookedAt() {
    return lookedAt.get();
  }
}
