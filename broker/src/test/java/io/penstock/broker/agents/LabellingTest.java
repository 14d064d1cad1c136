package io.penstock.broker.agents;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.agents.AgentOperations.AgentView;
import io.penstock.broker.agents.AgentOperations.Outcome;
import io.penstock.broker.store.AgentKeys;
import io.penstock.broker.store.AuditTable;
import io.penstock.broker.store.IdentityTable;
import io.penstock.codec.seal.AgentRecord;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tokens here give the one label `hall=7`.
class LabellingTest {
  @TempDir Path directory;
  private TestBroker broker;

  @BeforeEach
  void start() {
    broker = new TestBroker(directory.resolve("data"));
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  @Test
  void labelsAreSetAndTakenAwayAndTheRecordIsSignedAnew() {
    TestAgent agent = approved();
    FakeSession running = agent.connect().serve();
    AgentRecord before = record();

    Outcome outcome = label(Map.of("hall", Optional.empty(), "line", Optional.of("3")));

    assertThat(outcome).isEqualTo(new Outcome.Done());
    assertThat(view().labels()).containsOnly(Map.entry("line", "3"));
    assertThat(record()).isEqualTo(before.withLabels(Map.of("line", "3")));
    assertThat(running.isOpen()).isTrue();
    broker.sessions.cutAll();
    assertThat(agent.connect().serve().isOpen()).isTrue();
    assertThat(broker.alarms()).isEmpty();
  }

  @Test
  void theAuditTrailHasOldAndNew() {
    approved();

    label(Map.of("line", Optional.of("3")));

    AuditTable.Entry entry = updates().getFirst();
    assertThat(updates()).hasSize(1);
    assertThat(entry.user()).contains(TestBroker.ADMIN.name());
    assertThat(entry.resourceId()).contains("press");
    assertThat(entry.changes())
        .isEqualTo(
            Map.of(
                "labels",
                Map.of("old", Map.of("hall", "7"), "new", Map.of("hall", "7", "line", "3"))));
  }

  @Test
  void aChangeThatCannotBeAuditedDoesNotHappen() {
    approved();
    AgentRecord before = record();
    broker.tamper("alter table audit_log rename to audit_log_gone");

    try {
      assertThat(
              org.assertj.core.api.Assertions.catchThrowable(
                  () -> label(Map.of("line", Optional.of("3")))))
          .isNotNull();
    } finally {
      broker.tamper("alter table audit_log_gone rename to audit_log");
    }

    assertThat(view().labels()).isEqualTo(Map.of("hall", "7"));
    assertThat(record()).isEqualTo(before);
  }

  @Test
  void whatChangesNothingIsNoEvent() {
    approved();

    assertThat(label(Map.of("hall", Optional.of("7"), "line", Optional.empty())))
        .isEqualTo(new Outcome.Done());

    assertThat(updates()).isEmpty();
  }

  @Test
  void aWaitingReEnrollmentDoesNotBringOldLabelsBack() {
    approved();
    var fresh = new TestAgent(broker, "press");
    TestTunnel tunnel =
        fresh.enroll(broker.token(Optional.of("press"), Optional.empty(), List.of(), true));
    tunnel.prove();
    tunnel.pending();

    label(Map.of("hall", Optional.of("8")));
    broker.approve("press", tunnel.fingerprint());

    fresh.disk.generation = tunnel.approvedGeneration();
    tunnel.hangUp();
    assertThat(view().labels()).isEqualTo(Map.of("hall", "8"));
    assertThat(record().generation()).isEqualTo(2);
    assertThat(record().labels()).isEqualTo(Map.of("hall", "8"));
    assertThat(fresh.connect().serve().isOpen()).isTrue();
  }

  @Test
  void aQuarantinedAgentCanBeLabelledAndStaysWhereItIs() {
    TestAgent agent = approved();
    agent.connect().serve();
    agent.cloneOfDisk().connect().refusal();
    assertThat(view().state()).isEqualTo("quarantined");

    assertThat(label(Map.of("hall", Optional.of("8")))).isEqualTo(new Outcome.Done());

    assertThat(view().state()).isEqualTo("quarantined");
    assertThat(broker.release("press", view().fingerprint())).isEqualTo(new Outcome.Done());
    broker.sessions.cutAll();
    assertThat(agent.connect().serve().isOpen()).isTrue();
  }

  @Test
  void aRevokedAndAnUnknownAgentCannotBeLabelled() {
    approved();
    broker.revoke("press");

    assertThat(label(Map.of("hall", Optional.of("8"))))
        .isEqualTo(new Outcome.WrongState("revoked"));
    assertThat(broker.operations().label("lathe", Map.of(), TestBroker.ADMIN))
        .isEqualTo(new Outcome.UnknownAgent());
  }

  @Test
  void anAgentHasAtMostAHundredLabels() {
    approved();
    var many = new HashMap<String, Optional<String>>();
    for (int i = 0; i < AgentOperations.MAX_LABELS; i++) {
      many.put("label-" + i, Optional.of("x"));
    }

    assertThat(label(many)).isEqualTo(new Outcome.TooManyLabels());
    many.put("hall", Optional.empty());
    assertThat(label(many)).isEqualTo(new Outcome.Done());
    assertThat(view().labels()).hasSize(AgentOperations.MAX_LABELS);
  }

  @Test
  void aRowThatWasChangedBehindOurBackIsNotSignedAnew() {
    approved();
    broker.tamper("update agent_generations set labels = '{\"hall\": \"1\"}'");

    assertThat(label(Map.of("line", Optional.of("3"))))
        .isEqualTo(new Outcome.WrongState("changed in the database behind the broker's back"));
    assertThat(broker.alarmKinds()).containsExactly("database-tampered");
  }

  private TestAgent approved() {
    return new TestAgent(broker, "press").approved();
  }

  private Outcome label(Map<String, Optional<String>> change) {
    return broker.operations().label("press", change, TestBroker.ADMIN);
  }

  private AgentView view() {
    return broker.operations().find("press").orElseThrow();
  }

  private AgentRecord record() {
    AgentKeys newest =
        broker
            .database()
            .transaction(tx -> new IdentityTable().generations(tx, "press").get())
            .getFirst();
    return AgentRecord.verify(newest.approval().orElseThrow().recordJws(), broker.keys().keyset());
  }

  private List<AuditTable.Entry> updates() {
    return broker.audit().stream()
        .filter(entry -> entry.eventType().equals("gateway.update"))
        .toList();
  }
}
