package io.penstock.broker.changes;

import io.penstock.broker.access.AccessNews;
import io.penstock.broker.access.Accounts;
import io.penstock.broker.access.Actor;
import io.penstock.broker.access.Permission;
import io.penstock.broker.agents.AgentOperations;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.config.BrokerConfig.SecondPerson;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.ChangeTable;
import io.penstock.broker.store.ChangeTable.Change;
import io.penstock.broker.store.ChangeTable.State;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.RevocationsAloneTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.systems.SettingsDiff;
import io.penstock.broker.systems.SystemChanges;
import io.penstock.broker.systems.SystemOperations.Outcome;
import io.penstock.broker.systems.Systems;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;

/// Changes that wait for a second person, whole: what may be proposed, who decides, and what is
/// shown of it. Blocks like every transaction.
public final class Changes {
  /// Within this time the revocations of one person are counted.
  private static final Duration ALONE_WINDOW = Duration.ofHours(1);

  private final Database database;
  private final ChangeTable table;
  private final RevocationsAloneTable alone = new RevocationsAloneTable();
  private final ChangeBodies bodies;
  private final Systems systems;
  private final Accounts accounts;
  private final ChangeRecorder recorder;
  private final Proposals proposals;
  private final Decisions decisions;
  private final ChangeUpkeep upkeep;
  private final BrokerConfig.Changes policy;
  private final Clock clock;

  /// What comes from elsewhere.
  public record Surroundings(
      Database database,
      BrokerKeys keys,
      Systems systems,
      AgentOperations agents,
      Accounts accounts,
      Audit audit,
      AccessNews news,
      BrokerConfig.Changes policy,
      Clock clock) {}

  public Changes(Surroundings around) {
    database = around.database();
    systems = around.systems();
    accounts = around.accounts();
    policy = around.policy();
    clock = around.clock();
    table = new ChangeTable(around.keys().rowMac());
    bodies = new ChangeBodies(table, around.keys());
    recorder = new ChangeRecorder(around.audit(), around.news(), clock);
    var targets = new Targets(systems.changes(), around.agents());
    var carrying = new Carrying(systems.changes());
    var revocation = new JointRevocation(database, table, around.agents(), recorder);
    proposals =
        new Proposals(
            database,
            table,
            around.keys(),
            systems,
            carrying,
            targets,
            accounts,
            recorder,
            policy,
            clock);
    decisions =
        new Decisions(
            database,
            table,
            bodies,
            systems,
            carrying,
            targets,
            revocation,
            accounts,
            recorder,
            clock);
    upkeep = new ChangeUpkeep(database, table, bodies, revocation, recorder, clock);
  }

  /// The longest that anything waits.
  public Duration expiry() {
    return policy.expiry();
  }

  /// Whether the direct call becomes a change that waits.
  public boolean deploymentsWait() {
    return policy.requireSecondPerson().contains(SecondPerson.DEPLOY);
  }

  /// Whether `by` may revoke these without a second person; then they count.
  public boolean mayRevokeAlone(List<String> agents, Actor by) {
    if (!policy.requireSecondPerson().contains(SecondPerson.REVOKE_MANY)) {
      return true;
    }
    Instant now = clock.instant();
    return database.transaction(
        tx ->
            alone.take(tx, by.name(), agents, now, now.minus(ALONE_WINDOW), policy.revokesAlone()));
  }

  public ChangeOutcome propose(
      Operation operation, String reason, Optional<Duration> expiresIn, Actor by) {
    return proposals.propose(operation, reason, expiresIn, by);
  }

  /// Throws what `readers` throws.
  public ChangeOutcome approve(UUID id, String comment, Actor by, RequestReader readers) {
    return watched(() -> decisions.approve(id, comment, by, readers));
  }

  public ChangeOutcome reject(UUID id, String comment, Actor by) {
    return watched(() -> decisions.reject(id, comment, by));
  }

  public ChangeOutcome withdraw(UUID id, String comment, Actor by) {
    return watched(() -> decisions.withdraw(id, comment, by));
  }

  private ChangeOutcome watched(Supplier<ChangeOutcome> work) {
    try {
      return work.get();
    } catch (TamperedChangeException found) {
      database.run(tx -> recorder.tampered(tx, found.id()));
      return new ChangeOutcome.Tampered();
    }
  }

  /// Called every minute.
  public void upkeep() {
    try {
      upkeep.run();
    } catch (TamperedChangeException found) {
      database.run(tx -> recorder.tampered(tx, found.id()));
    }
  }

  /// Newest first, as far as `by` reaches everything that a change is about.
  public List<Change> list(
      Optional<State> state, Optional<String> author, Optional<UUID> before, int limit, Actor by) {
    return database.transaction(
        tx -> table.list(tx, state, author, accounts.agentsOf(tx, by), before, limit));
  }

  /// One change with what helps to decide.
  ///
  /// @param body the exact request; empty once it is decided
  /// @param diff by JSON pointer, without secrets; empty = it is about no settings, or cannot be
  ///     told any more
  /// @param approvers how many accounts could be the second person
  public record Detail(
      Change change,
      Optional<byte[]> body,
      SortedMap<String, SettingsDiff.Change> diff,
      int approvers) {
    @Override
    public String toString() {
      return "Detail[" + change.id() + "]";
    }
  }

  /// Throws what `readers` throws.
  public Optional<Detail> find(UUID id, Actor by, RequestReader readers) {
    return database
        .transaction(
            tx ->
                table
                    .find(tx, id)
                    .filter(
                        change ->
                            accounts
                                .agentsOf(tx, by)
                                .map(mine -> mine.containsAll(change.agents()))
                                .orElse(true)))
        .map(change -> detail(change, readers));
  }

  private Detail detail(Change change, RequestReader readers) {
    Optional<byte[]> body = database.transaction(tx -> bodies.open(tx, change));
    return new Detail(change, body, diff(change, body, readers), approvers(change));
  }

  private int approvers(Change change) {
    if (change.state() != State.WAITING) {
      return 0;
    }
    return (int)
        accounts.whoMay(Set.of(Permission.CHANGES_APPROVE, needs(change)), change.agents()).stream()
            .filter(name -> !name.equals(change.author()))
            .count();
  }

  /// What whoever approves it needs, beside `changes:approve`.
  public static Permission needs(Change change) {
    return Operation.needsOf(change.kind());
  }

  private SortedMap<String, SettingsDiff.Change> diff(
      Change change, Optional<byte[]> body, RequestReader readers) {
    if (change.kind().equals(Operation.Revoke.KIND) || !change.intact()) {
      return new TreeMap<>();
    }
    String[] path = change.path().split("/", -1);
    String agent = path[4];
    String system = path[6];
    Outcome<SortedMap<String, SettingsDiff.Change>> found =
        systems.look(tx -> diff(tx, change, agent, system, body, readers));
    return switch (found) {
      case Outcome.Done<SortedMap<String, SettingsDiff.Change>>(var diff) -> diff;
      case Outcome.Refused<SortedMap<String, SettingsDiff.Change>> _ -> new TreeMap<>();
    };
  }

  private SortedMap<String, SettingsDiff.Change> diff(
      Tx tx,
      Change change,
      String agent,
      String system,
      Optional<byte[]> body,
      RequestReader readers) {
    SystemChanges changes = systems.changes();
    long newest = SystemChanges.versionOf(change.target(), SystemChanges.VERSION);
    long deployed = SystemChanges.versionOf(change.target(), SystemChanges.DEPLOYED_VERSION);
    return switch (change.kind()) {
      case Operation.Deploy.KIND -> changes.diff(tx, agent, system, deployed, newest);
      case Operation.Delete.KIND -> changes.diff(tx, agent, system, newest, 0);
      default -> {
        long made = made(change);
        if (made > 0) {
          yield changes.diff(tx, agent, system, newest, made);
        }
        if (body.isEmpty()) {
          yield new TreeMap<>();
        }
        yield switch (readers.read(change.method(), change.path(), body.get())) {
          case Operation.Put it ->
              changes.diff(tx, agent, system, newest, it.edit().settingsJson());
          case Operation.Rollback it -> changes.diff(tx, agent, system, newest, it.version());
          case Operation.Deploy _, Operation.Delete _, Operation.Revoke _ -> new TreeMap<>();
        };
      }
    };
  }

  /// The version that came of it; 0 = none.
  private static long made(Change change) {
    return change.state() == State.EXECUTED
        ? change.outcomeJson().map(text -> new JsonObject(text).getLong("version", 0L)).orElse(0L)
        : 0;
  }
}
