package io.penstock.broker.systems;

import io.penstock.broker.access.Actor;
import io.penstock.broker.agents.ApprovedAgents;
import io.penstock.broker.agents.LiveSessions;
import io.penstock.broker.audit.Audit;
import io.penstock.broker.delivery.Documents;
import io.penstock.broker.delivery.MessageQueue;
import io.penstock.broker.keys.BrokerKeys;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.HeadRow;
import io.penstock.broker.store.ReceiptTable;
import io.penstock.broker.store.Superseding;
import io.penstock.broker.store.SystemRow;
import io.penstock.broker.store.SystemTable;
import io.penstock.broker.store.TamperedRowException;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.ControlMessage.TestReport;
import io.penstock.codec.seal.AgentRecord;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.function.Supplier;

/// Wires everything about the systems of agents, and is its border: a transaction per operation,
/// refusals as results, an alarm for rows that were changed behind our back.
public final class Systems implements SystemOperations {
  private static final Duration TEST_DEADLINE = Duration.ofSeconds(30);
  private static final int RENEWED_AT_ONCE = 100;

  private final Database database;
  private final SystemTable table;
  private final Heads heads;
  private final Standing standing;
  private final BrokerKeys keys;
  private final Recorder recorder;
  private final Editing editing;
  private final Deployment deployment;
  private final Catalog catalog;
  private final SystemTests tests;
  private final SystemChanges changes;
  private final StoredDocuments documents;
  private final Supplier<MessageQueue> queue;
  private final Clock clock;

  /// What comes from elsewhere.
  ///
  /// @param queue hears of deployments; asked for only once an operation runs
  public record Surroundings(
      Database database,
      BrokerKeys keys,
      ApprovedAgents agents,
      LiveSessions live,
      Supplier<MessageQueue> queue,
      SecureRandom random,
      Clock clock) {}

  public Systems(Surroundings around) {
    this(around, TEST_DEADLINE);
  }

  Systems(Surroundings around, Duration testDeadline) {
    this.database = around.database();
    this.keys = around.keys();
    this.clock = around.clock();
    this.queue = around.queue();
    this.table = new SystemTable(around.keys().rowMac());
    var receipts = new ReceiptTable(around.keys().rowMac());
    this.standing = new Standing(around.agents());
    this.recorder = new Recorder(database, new Audit(database, keys.rowMac(), clock), clock);
    this.heads = new Heads(table, around.keys(), clock);
    var versions = new Versions(table, around.keys());
    this.editing = new Editing(table, versions, standing, recorder, clock);
    this.deployment =
        new Deployment(table, receipts, versions, heads, standing, queue, recorder, clock);
    this.catalog = new Catalog(table, receipts, versions, standing, around.keys());
    this.changes = new SystemChanges(table, versions, standing, editing, deployment);
    this.tests = new SystemTests(around.live(), testDeadline, around.random());
    this.documents =
        new StoredDocuments(
            table,
            versions,
            heads,
            standing,
            new Superseding(around.keys().rowMac()),
            new Receipts(table, receipts, recorder),
            new Rewraps(table, versions, standing, recorder),
            recorder);
  }

  /// Carries systems over to new keys.
  public SystemKeyUpkeep keyUpkeep() {
    return new SystemKeyUpkeep(
        database, keys, heads, (tx, agent) -> queue.get().headRenewed(tx, agent), recorder, this);
  }

  /// What delivery sends.
  public Documents documents() {
    return documents;
  }

  /// Signs every head again that is older than an hour, so that an agent can tell by its age
  /// whether somebody keeps newer ones from it. Called by the upkeep.
  public void renewHeads() {
    String last = "";
    while (true) {
      List<String> due = headsDue(last);
      due.forEach(this::renewHead);
      if (due.size() < RENEWED_AT_ONCE) {
        return;
      }
      last = due.getLast();
    }
  }

  private List<String> headsDue(String after) {
    return database.transaction(
        tx ->
            table.headsDue(tx, clock.instant().minus(Heads.RENEWED_AFTER), after, RENEWED_AT_ONCE));
  }

  private void renewHead(String agent) {
    try {
      var _ =
          database.repeatable(
              tx -> {
                Optional<HeadRow> renewed = heads.renewWhenDue(tx, agent);
                renewed.ifPresent(_ -> queue.get().headRenewed(tx, agent));
                return renewed.isPresent();
              });
    } catch (TamperedRowException found) {
      recorder.tampered(found);
    }
  }

  /// Changes as parts of a larger transaction, for [#within], [#tried] and [#look].
  public SystemChanges changes() {
    return changes;
  }

  /// One transaction of the caller's with a change in it. A refusal undoes all of it and is
  /// audited; what else `work` throws comes out.
  public <T> Outcome<T> within(
      String type, String agent, String system, Actor by, Function<Tx, T> work) {
    return changed(type, agent, system, by, work);
  }

  /// What `work` would do; none of it is done.
  public <T> Outcome<T> tried(Function<Tx, T> work) {
    return border(() -> undone(work), _ -> {});
  }

  private <T> T undone(Function<Tx, T> work) {
    var results = new ArrayList<T>(1);
    try {
      var _ =
          database.repeatable(
              tx -> {
                results.add(work.apply(tx));
                throw new UndoneException();
              });
    } catch (UndoneException _) {
      return results.getLast();
    }
    throw new IllegalStateException("what always ends in an exception did not");
  }

  /// Ends a transaction of which nothing is to stay.
  private static final class UndoneException extends RuntimeException {
    UndoneException() {
      super("undone", null, false, false);
    }
  }

  public <T> Outcome<T> look(Function<Tx, T> work) {
    return looked(work);
  }

  @Override
  public Outcome<SealingKeyView> sealingKey(String agent) {
    return looked(tx -> catalog.sealingKey(tx, agent));
  }

  @Override
  public Outcome<Made> put(String agent, String system, Edit edit, Actor by) {
    return changed(
        "system.update", agent, system, by, tx -> editing.put(tx, agent, system, edit, by));
  }

  @Override
  public Outcome<Made> rollback(String agent, String system, long version, Actor by) {
    return changed(
        "system.rollback",
        agent,
        system,
        by,
        tx -> editing.rollback(tx, agent, system, version, by));
  }

  @Override
  public Outcome<Queued> deploy(String agent, String system, OptionalLong version, Actor by) {
    return changed(
        "system.deploy",
        agent,
        system,
        by,
        tx -> deployment.deploy(tx, agent, system, version, by));
  }

  @Override
  public Outcome<Queued> delete(String agent, String system, Actor by) {
    return changed(
        "system.delete", agent, system, by, tx -> deployment.delete(tx, agent, system, by));
  }

  /// Nothing waits inside a transaction for the agent.
  @Override
  public Outcome<TestReport> test(String agent, String system, OptionalLong version, Actor by) {
    return judged(
        "system.test",
        agent,
        system,
        by,
        () -> {
          AgentRecord approved = database.transaction(tx -> testable(tx, agent, system, version));
          TestReport report = tests.run(agent, approved.generation(), system, version, by.name());
          database.run(tx -> recordTest(tx, agent, system, version, report, by));
          return report;
        });
  }

  private AgentRecord testable(Tx tx, String agent, String system, OptionalLong version) {
    AgentRecord approved = standing.requireApproved(tx, agent).agentRecord();
    SystemRow row = table.find(tx, agent, system).orElseThrow(Standing::unknownSystem);
    if (version.isPresent()
        && table.version(tx, agent, row.system(), version.getAsLong()).isEmpty()) {
      throw Standing.unknownVersion(version.getAsLong());
    }
    return approved;
  }

  private void recordTest(
      Tx tx, String agent, String system, OptionalLong version, TestReport report, Actor by) {
    var what = new LinkedHashMap<String, Object>();
    version.ifPresent(number -> what.put("version", number));
    what.put("ok", report.ok());
    recorder.done(tx, "system.test", agent, system, by, what);
  }

  @Override
  public Outcome<List<SystemView>> list(String agent) {
    return looked(tx -> catalog.list(tx, agent));
  }

  @Override
  public Outcome<Detailed> show(String agent, String system) {
    return looked(tx -> catalog.show(tx, agent, system));
  }

  @Override
  public Outcome<List<VersionView>> versions(String agent, String system, long before, int limit) {
    return looked(tx -> catalog.versions(tx, agent, system, before, limit));
  }

  @Override
  public Outcome<VersionView> version(String agent, String system, long version) {
    return looked(tx -> catalog.version(tx, agent, system, version));
  }

  /// Nothing is handed out before it is in the audit trail.
  @Override
  public Outcome<SealedView> sealed(String agent, String system, long version, Actor by) {
    return changed(
        "system.sealed-read",
        agent,
        system,
        by,
        tx -> {
          SealedView view = catalog.sealed(tx, agent, system, version);
          recorder.done(tx, "system.sealed-read", agent, system, by, Map.of("version", version));
          return view;
        });
  }

  @Override
  public Outcome<SortedMap<String, SettingsDiff.Change>> diff(
      String agent, String system, long from, long to) {
    return looked(tx -> catalog.diff(tx, agent, system, from, to));
  }

  @Override
  public Map<String, Progress> progress() {
    return database.transaction(catalog::progress);
  }

  private <T> Outcome<T> looked(Function<Tx, T> work) {
    return border(() -> database.transaction(work), _ -> {});
  }

  private <T> Outcome<T> changed(
      String type, String agent, String system, Actor by, Function<Tx, T> work) {
    return judged(type, agent, system, by, () -> database.repeatable(work));
  }

  private <T> Outcome<T> judged(
      String type, String agent, String system, Actor by, Supplier<T> work) {
    return border(work, refusal -> recorder.refused(type, agent, system, by, refusal));
  }

  private <T> Outcome<T> border(
      Supplier<T> work, java.util.function.Consumer<Refusal> whenRefused) {
    Refusal refusal;
    try {
      return new Outcome.Done<>(work.get());
    } catch (RefusedException refused) {
      refusal = refused.refusal();
    } catch (TamperedRowException found) {
      recorder.tampered(found);
      refusal =
          Refusal.of(
                  Refusal.Reason.ROW_TAMPERED,
                  "the database holds something that this broker did not write: "
                      + found.getMessage())
              .refusal();
    }
    whenRefused.accept(refusal);
    return new Outcome.Refused<>(refusal);
  }
}
