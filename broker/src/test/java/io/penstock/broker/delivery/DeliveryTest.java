package io.penstock.broker.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.broker.alarms.AlarmRig;
import io.penstock.broker.delivery.DeliveryOperations.MessageView;
import io.penstock.broker.delivery.DeliveryOperations.Outcome;
import io.penstock.broker.store.AlarmTable;
import io.penstock.broker.store.AlarmTable.Severity;
import io.penstock.broker.tunnel.MockAgent;
import io.penstock.broker.tunnel.MockAgent.Mail;
import io.penstock.codec.message.ControlMessage;
import io.penstock.codec.message.DeliveryMessage.Configuration;
import io.penstock.codec.message.DeliveryMessage.Head;
import io.penstock.codec.message.DeliveryMessage.Instruction;
import io.penstock.codec.message.DeliveryMessage.InstructionKind;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Octets;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.Receipt.Reason;
import io.penstock.codec.seal.SigningKey;
import io.penstock.codec.seal.WipeOrder;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeliveryTest {
  @TempDir Path directory;
  private DeliveryRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new DeliveryRig(directory.resolve("data"));
    rig.start();
    rig.agent("press");
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private static List<Long> sequences(MockAgent agent) {
    return agent.mail.stream().map(Mail::sequence).toList();
  }

  private List<MessageView> waiting() {
    return rig.delivery().operations().messages("press", 0, 1_000).orElseThrow();
  }

  @Test
  void deliversWhatWaitedInOrderAndForgetsItAfterTheReceipts() throws Exception {
    for (int i = 0; i < 40; i++) {
      rig.deploy("press", "system-" + i);
    }

    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(sequences(agent)).isEqualTo(LongStream.rangeClosed(1, 40).boxed().toList());
    }
    assertThat(rig.receipts())
        .hasSize(40)
        .startsWith("press/system-0@1 Applied", "press/system-1@1 Applied");
  }

  @Test
  void deliversToALiveAgentAtOnceWithHeadAndDocument() throws Exception {
    try (MockAgent agent = rig.connect("press")) {
      DeliveryRig.await(() -> !rig.world().sessions.list().isEmpty());
      rig.deploy("press", "mes");
      agent.playUntil(() -> !agent.mail.isEmpty());

      var message = (Configuration) agent.mail.getFirst().message();
      assertThat(message.system()).isEqualTo("mes");
      assertThat(message.head()).isNotNull();
      assertThat(message.document()).isNotNull();
    }
  }

  @Test
  void sendsNoMoreThanAWindowWithoutReceipts() throws Exception {
    for (int i = 0; i < 50; i++) {
      rig.instruct("press");
    }

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() >= Sender.WINDOW);
      rig.delivery().lookAround();
      assertThat(agent.mail).hasSize(Sender.WINDOW);
      assertThat(waiting().get(0).why()).startsWith("waits for its receipt since ");
      assertThat(waiting().get(49).why()).startsWith("waits behind the messages before it");

      agent.answer(1, DeliveryReceipt.result("done"));
      agent.flush();
      agent.playUntil(() -> agent.mail.size() > Sender.WINDOW);

      assertThat(agent.mail.getLast().sequence()).isEqualTo(33);
      assertThat(rig.undelivered()).isEqualTo(49);
    }
  }

  @Test
  void sendsAgainAfterAReconnectWhatHadNoReceipt() throws Exception {
    rig.deploy("press", "mes");
    rig.deploy("press", "scada");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 2);
      agent.answer(1, rig.applied("press", agent.mail.getFirst()));
      agent.flush();
      DeliveryRig.await(() -> rig.undelivered() == 1);
    }

    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(sequences(agent)).containsExactly(2L);
    }
    assertThat(rig.receipts()).containsExactly("press/mes@1 Applied", "press/scada@1 Applied");
  }

  @Test
  void sendsAgainAfterARestartOfTheBroker() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
    }
    rig.stop();
    rig.start();

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      assertThat(waiting().getFirst().attempts()).isEqualTo(2);
      rig.applyAll(agent, "press");
      agent.answer(1, rig.applied("press", agent.mail.getFirst()));
      agent.flush();
      DeliveryRig.await(() -> rig.undelivered() == 0);
    }
  }

  @Test
  void supersedesTheUndeliveredMessageOfTheSameSystem() throws Exception {
    rig.deploy("press", "mes");
    rig.deploy("press", "scada");
    rig.deploy("press", "mes");
    rig.remove("press", "scada");

    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(sequences(agent)).containsExactly(3L, 4L);
      assertThat(((Configuration) agent.mail.getFirst().message()).version()).isEqualTo(2);
      assertThat(((Head) agent.mail.getLast().message()).version()).isEqualTo(2);
    }
    assertThat(rig.audit("gateway.message-superseded")).hasSize(2);
    assertThat(rig.receipts()).containsExactly("press/mes@2 Applied", "press/scada@2 Applied");
  }

  @Test
  void ignoresTheReceiptOfASupersededMessage() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      rig.deploy("press", "mes");
      agent.playUntil(() -> agent.mail.size() == 2);
      agent.answer(1, rig.applied("press", agent.mail.getFirst()));
      agent.answer(2, rig.applied("press", agent.mail.getLast()));
      agent.flush();
      DeliveryRig.await(() -> rig.undelivered() == 0);

      assertThat(rig.receipts()).containsExactly("press/mes@2 Applied");
      assertThat(rig.delivery().counters().late()).isEqualTo(1);
      assertThat(rig.world().sessions.list()).hasSize(1);
    }
  }

  @Test
  void ignoresReceiptsOnASessionThatANewerEpochHasOvertaken() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      // As if another broker had admitted it.
      rig.database().run(tx -> rig.epochs.next(tx, "press", 0));
      agent.answer(1, rig.applied("press", agent.mail.getFirst()));
      agent.flush();
      DeliveryRig.await(() -> rig.delivery().counters().fenced() == 1);

      assertThat(rig.undelivered()).isEqualTo(1);
      assertThat(rig.receipts()).isEmpty();
    }
  }

  @Test
  void refusesTheMessageBeyondTheBoundAndNamesAgentLimitAndFound() throws Exception {
    rig.stop();
    rig.limit = 3;
    rig.start();
    for (int i = 0; i < 3; i++) {
      rig.instruct("press");
    }

    assertThatThrownBy(() -> rig.instruct("press"))
        .isInstanceOf(QueueFullException.class)
        .hasMessage("messages of press: expected at most 3 undelivered, found 3");
    assertThat(rig.undelivered()).isEqualTo(3);
  }

  @Test
  void aNewVersionTakesThePlaceOfTheOldOneInAFullQueue() throws Exception {
    rig.stop();
    rig.limit = 2;
    rig.start();
    rig.deploy("press", "mes");
    rig.instruct("press");

    rig.deploy("press", "mes");

    assertThat(rig.undelivered()).isEqualTo(2);
  }

  @Test
  void findsByItselfWhatNoHintToldOf() throws Exception {
    rig.stop();
    rig.hears = false;
    rig.start();

    try (MockAgent agent = rig.connect("press")) {
      DeliveryRig.await(() -> !rig.world().sessions.list().isEmpty());
      rig.instruct("press");
      agent.playUntil(() -> agent.mail.size() == 1);
    }
  }

  @Test
  void dropsAnInstructionThatExpired() throws Exception {
    rig.instruct("press", Optional.of(Duration.ofMinutes(5)));
    rig.instruct("press");
    rig.clock.pass(Duration.ofMinutes(6));

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      rig.delivery().expire();

      assertThat(sequences(agent)).containsExactly(2L);
    }
    assertThat(rig.undelivered()).isEqualTo(1);
    assertThat(rig.audit("gateway.instruction"))
        .anySatisfy(
            entry -> {
              assertThat(entry.reason()).contains("expired before the agent answered");
              assertThat(entry.result()).contains("failure");
            });
  }

  @Test
  void tellsWhatCameOfAnInstructionInAudit() throws Exception {
    try (MockAgent agent = rig.connect("press")) {
      rig.delivery()
          .operations()
          .instruct(
              "press",
              io.penstock.codec.message.DeliveryMessage.InstructionKind.RECONNECT,
              Optional.empty(),
              Optional.empty(),
              DeliveryRig.ADMIN);
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(1, DeliveryReceipt.result("will\ndial anew"));
      agent.flush();
      DeliveryRig.await(() -> rig.undelivered() == 0);
    }
    assertThat(rig.audit("gateway.instruction"))
        .extracting(entry -> entry.changes().get("state"))
        .containsExactly("queued", "done");
    assertThat(rig.audit("gateway.instruction").getLast().changes())
        .containsEntry("result", "will dial anew")
        .containsEntry("kind", "reconnect");
  }

  // Receipts that are signed together.

  private DeliveryReceipt together(MockAgent agent, Receipt.Outcome... outcomes) {
    List<Receipt> receipts = new ArrayList<>();
    for (int i = 0; i < outcomes.length; i++) {
      var message = (Configuration) agent.mail.get(i).message();
      Octets hash = TestDocuments.hash("press", message.system(), message.version());
      receipts.add(
          new Receipt("press", 1, message.system(), message.version(), hash, outcomes[i], 1_000));
    }
    return DeliveryReceipt.of(
        Receipt.sign(receipts, rig.identity("press")),
        LongStream.rangeClosed(1, outcomes.length).boxed().toList());
  }

  private MockAgent withMessages(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      rig.deploy("press", "system-" + i);
    }
    MockAgent agent = rig.connect("press");
    agent.playUntil(() -> agent.mail.size() == count);
    return agent;
  }

  @Test
  void receiptsThatAreSignedTogetherEndAllTheirMessages() throws Exception {
    try (MockAgent agent = withMessages(3)) {
      Receipt.Outcome refused = Receipt.Refused.of(Reason.START_FAILED, "no such host");
      agent.answer(3, together(agent, new Receipt.Applied(), refused, new Receipt.Applied()));
      agent.flush();
      // Counted once the transaction is over.
      DeliveryRig.await(() -> rig.delivery().counters().acknowledged() == 3);
    }
    assertThat(rig.undelivered()).isZero();
    assertThat(rig.receipts())
        .containsExactly(
            "press/system-0@1 Applied", "press/system-1@1 Refused", "press/system-2@1 Applied");
  }

  @Test
  void whatWasToldLastCountsAlsoWhenBothAreRecordedTogether() throws Exception {
    try (MockAgent agent = withMessages(1)) {
      DeliveryReceipt applied = rig.applied("press", agent.mail.getFirst());
      DeliveryReceipt refused =
          rig.receipt(
              "press", agent.mail.getFirst(), Receipt.Refused.of(Reason.CRASH_LOOP, "it died"));
      agent.answer(1, applied);
      agent.answer(DeliveryReceipt.NO_MESSAGE, refused);
      agent.flush();
      DeliveryRig.await(() -> rig.receipts().size() == 2);
    }
    assertThat(rig.receipts())
        .containsExactly("press/system-0@1 Applied", "press/system-0@1 Refused");
    assertThat(rig.alarms())
        .extracting(AlarmTable.Alarm::kind)
        .containsExactly("configuration-refused");
  }

  /// Two receipts for the first two of three messages.
  private void assertEndsTheSession(long frame, List<Long> sequences) throws Exception {
    try (MockAgent agent = withMessages(3)) {
      DeliveryReceipt two = together(agent, new Receipt.Applied(), new Receipt.Applied());
      agent.answer(frame, DeliveryReceipt.of(String.valueOf(two.receipt()), sequences));
      agent.flush();
      agent.awaitWebSocketClose();
    }
    assertThat(rig.undelivered()).isEqualTo(3);
    assertThat(rig.receipts()).isEmpty();
  }

  @Test
  void receiptsThatAreNotOneForEachMessageEndTheSession() throws Exception {
    assertEndsTheSession(3, List.of(1L, 2L, 3L));
  }

  @Test
  void receiptsOfMessagesThatWereNotSentEndTheSession() throws Exception {
    assertEndsTheSession(9, List.of(1L, 9L));
  }

  @Test
  void aFrameThatNamesAnotherSequenceThanTheLastEndsTheSession() throws Exception {
    assertEndsTheSession(1, List.of(1L, 2L));
  }

  // Receipts that no honest agent sends.

  private void assertRefused(MockAgent agent, String what) throws Exception {
    agent.awaitWebSocketClose();
    DeliveryRig.await(() -> !rig.alarms().isEmpty());
    assertThat(rig.alarms())
        .extracting(AlarmTable.Alarm::kind)
        .containsExactly("bad-receipt-signature");
    assertThat(rig.audit("gateway.bad-receipt").getFirst().reason()).contains(what);
    assertThat(rig.undelivered()).isEqualTo(1);
    assertThat(rig.receipts()).isEmpty();
  }

  @Test
  void endsTheSessionForAReceiptSignedByAnotherKey() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(
          1,
          DeliveryRig.signedBy(
              SigningKey.generate(new SecureRandom()),
              "press",
              "mes",
              1,
              TestDocuments.hash("press", "mes", 1),
              new Receipt.Applied()));
      agent.flush();

      assertRefused(agent, "the signature is not that of the agent's identity");
    }
  }

  @Test
  void endsTheSessionForAReceiptOfAnotherHash() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(
          1, rig.signed("press", "mes", 1, Octets.sha256(new byte[] {1}), new Receipt.Applied()));
      agent.flush();

      assertRefused(agent, "a hash that the newest head does not list");
    }
  }

  @Test
  void endsTheSessionForTheReceiptOfAnotherAgent() throws Exception {
    rig.agent("lathe");
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(
          1,
          DeliveryRig.signedBy(
              rig.identity("press"),
              "lathe",
              "mes",
              1,
              TestDocuments.hash("press", "mes", 1),
              new Receipt.Applied()));
      agent.flush();

      assertRefused(agent, "a receipt that is about something else");
    }
  }

  @Test
  void endsTheSessionForAMereResultWhereAReceiptIsDue() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(1, DeliveryReceipt.result("applied, believe me"));
      agent.flush();

      assertRefused(agent, "a result where a signed receipt is due");
    }
  }

  @Test
  void endsTheSessionForTheReceiptOfAMessageThatWasNeverSent() throws Exception {
    rig.instruct("press");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(2, DeliveryReceipt.result("done"));
      agent.flush();
      agent.awaitWebSocketClose();

      assertThat(rig.undelivered()).isEqualTo(1);
    }
  }

  @Test
  void endsTheSessionThatSendsMoreReceiptsThanItCouldOwe() throws Exception {
    rig.instruct("press");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      for (int i = 0; i <= Attached.MAX_RECEIPTS; i++) {
        agent.answer(1, DeliveryReceipt.result("done"));
      }
      agent.flush();
      agent.awaitWebSocketClose();

      assertThat(agent.heard).anyMatch(heard -> heard.startsWith("close RATE_EXCEEDED"));
    }
  }

  // Refusals.

  @Test
  void aRefusedConfigurationIsAnAlarmUntilOneIsApplied() throws Exception {
    try (MockAgent agent = rig.connect("press")) {
      agent.onMail =
          mail ->
              agent.answer(
                  mail.sequence(),
                  rig.receipt(
                      "press", mail, Receipt.Refused.of(Reason.START_FAILED, "no such host")));
      rig.deploy("press", "mes");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(rig.alarms())
          .singleElement()
          .satisfies(
              alarm -> {
                assertThat(alarm.kind()).isEqualTo("configuration-refused");
                assertThat(alarm.subject()).isEqualTo("press/mes");
                assertThat(alarm.message()).isEqualTo("version 1: start-failed, no such host");
              });

      rig.applyAll(agent, "press");
      rig.deploy("press", "mes");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(rig.alarms()).isEmpty();
    }
    assertThat(rig.receipts()).containsExactly("press/mes@1 Refused", "press/mes@2 Applied");
  }

  @Test
  void aRollbackIsAHighAlarm() throws Exception {
    try (MockAgent agent = rig.connect("press")) {
      agent.onMail =
          mail ->
              agent.answer(
                  mail.sequence(),
                  rig.receipt("press", mail, Receipt.Refused.of(Reason.ROLLBACK, "below 7")));
      rig.deploy("press", "mes");
      agent.playUntil(() -> rig.undelivered() == 0);
    }
    assertThat(rig.alarms())
        .singleElement()
        .satisfies(
            alarm -> {
              assertThat(alarm.kind()).isEqualTo("configuration-rollback");
              assertThat(alarm.severity()).isEqualTo(Severity.HIGH);
            });
  }

  @Test
  void aChangedConfigurationIsAHighAlarmUntilOneIsApplied() throws Exception {
    try (MockAgent agent = rig.connect("press")) {
      agent.onMail =
          mail ->
              agent.answer(
                  mail.sequence(),
                  rig.receipt(
                      "press", mail, Receipt.Refused.of(Reason.BAD_SIGNATURE, "not the key's")));
      rig.deploy("press", "mes");
      agent.playUntil(() -> rig.undelivered() == 0);
      assertThat(rig.alarms())
          .singleElement()
          .satisfies(
              alarm -> {
                assertThat(alarm.kind()).isEqualTo("configuration-bad-signature");
                assertThat(alarm.severity()).isEqualTo(Severity.HIGH);
              });

      rig.applyAll(agent, "press");
      rig.deploy("press", "mes");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(rig.alarms()).isEmpty();
    }
  }

  @Test
  void whatWaitsTooLongForAnAgentIsAnAlarmUntilItIsDelivered() throws Exception {
    AlarmRig alarms = rig.alarmRig(Map.of("alarms.backlog_messages", "3"));
    rig.deploy("press", "one");
    rig.deploy("press", "two");
    alarms.look();
    assertThat(alarms.standing()).isEmpty();
    rig.deploy("press", "three");
    alarms.look();
    assertThat(alarms.standing()).containsExactly("delivery-backlog press");
    assertThat(alarms.only().message()).startsWith("3 messages wait, the oldest since ");

    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);
    }
    alarms.look();
    rig.clock.pass(Duration.ofMinutes(1));
    alarms.look();
    assertThat(alarms.standing()).doesNotContain("delivery-backlog press");
  }

  @Test
  void oneMessageThatWaitsForAnHourIsAnAlarmToo() {
    AlarmRig alarms = rig.alarmRig(Map.of("alarms.offline_after", "7d"));
    rig.deploy("press", "one");
    rig.clock.pass(Duration.ofMinutes(59));
    alarms.look();
    assertThat(alarms.standing()).isEmpty();
    rig.clock.pass(Duration.ofMinutes(2));
    alarms.look();

    assertThat(alarms.standing()).containsExactly("delivery-backlog press");
  }

  // Rows behind our back.

  @Test
  void aRowThatWeDidNotWriteIsNeverSent() throws Exception {
    rig.instruct("press");
    DeliveryRig.postgres().execute("update messages set instruction_kind = 'wipe'");
    rig.instruct("press");

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);

      assertThat(sequences(agent)).containsExactly(2L);
    }
    assertThat(rig.alarms())
        .extracting(AlarmTable.Alarm::kind)
        .containsExactly("database-tampered");
  }

  @Test
  void aRestoredRowIsSentAlthoughHigherOnesAreDone() throws Exception {
    rig.instruct("press");
    DeliveryRig.postgres().execute("drop table if exists kept");
    DeliveryRig.postgres().execute("create table kept as select * from messages");
    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);
      rig.instruct("press");
      agent.playUntil(() -> agent.mail.size() == 2 && rig.undelivered() == 0);

      DeliveryRig.postgres().execute("insert into messages select * from kept");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(sequences(agent)).containsExactly(1L, 2L, 1L);
    }
  }

  // Large ones.

  @Test
  void aHeadThatIsTooLargeGoesAheadOnce() throws Exception {
    rig.documents.head = "h".repeat(200_000);
    rig.deploy("press", "mes");
    rig.deploy("press", "scada");

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 2);

      assertThat(agent.controls.stream().filter(ControlMessage.Head.class::isInstance)).hasSize(1);
      assertThat(((Configuration) agent.mail.getFirst().message()).head()).isNull();
      assertThat(((Configuration) agent.mail.getFirst().message()).document()).isNotNull();
    }
  }

  @Test
  void aDocumentThatIsTooLargeIsLeftToBeFetched() throws Exception {
    rig.deploy("press", "mes", new byte[100_000]);

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);

      assertThat(((Configuration) agent.mail.getFirst().message()).document()).isNull();
      assertThat(((Configuration) agent.mail.getFirst().message()).head()).isNotNull();
    }
  }

  @Test
  void aRenewedHeadIsToldToLiveSessions() throws Exception {
    try (MockAgent agent = rig.connect("press")) {
      DeliveryRig.await(() -> !rig.world().sessions.list().isEmpty());
      rig.documents.head = "renewed";
      // By another node.
      try (Delivery other = rig.newDelivery()) {
        rig.database().run(tx -> other.queue().headRenewed(tx, "press"));
      }

      assertThat(agent.awaitControl(ControlMessage.Head.class).head()).isEqualTo("renewed");
    }
  }

  // Generations.

  @Test
  void aMessageForAnEndedGenerationIsDroppedAndNeverSent() throws Exception {
    rig.deploy("press", "mes");
    rig.instruct("press");
    rig.generation = 2;
    rig.instruct("press");

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> !agent.mail.isEmpty());

      assertThat(sequences(agent)).containsExactly(3L);
      assertThat(((Instruction) agent.mail.getFirst().message()).generation()).isEqualTo(2);
    }
    assertThat(rig.audit("gateway.message-superseded"))
        .extracting(entry -> entry.reason().orElse(""))
        .containsExactly(
            "for generation 1 of the agent, which is now 2",
            "for generation 1 of the agent, which is now 2");
  }

  @Test
  void aRowMovedToAnotherGenerationIsNotOurs() throws Exception {
    rig.instruct("press");
    rig.generation = 2;
    DeliveryRig.postgres().execute("update messages set generation = 2");
    rig.instruct("press");

    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> !agent.mail.isEmpty());

      assertThat(sequences(agent)).containsExactly(2L);
    }
    assertThat(rig.alarms())
        .extracting(AlarmTable.Alarm::kind)
        .containsExactly("database-tampered");
  }

  @Test
  void aWipeThatWaitedIsSignedByTheRecordKeyOfToday() throws Exception {
    var queued =
        (Outcome.Queued)
            rig.delivery()
                .operations()
                .instruct(
                    "press",
                    InstructionKind.WIPE,
                    Optional.empty(),
                    Optional.empty(),
                    DeliveryRig.ADMIN);
    rig.replaceRecordKey();
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> !agent.mail.isEmpty());
      String order = String.valueOf(((Instruction) agent.mail.getFirst().message()).order());

      assertThat(WipeOrder.verify(order, rig.keyset(), "press", 1, queued.id()).id())
          .isEqualTo(queued.id());
    }
  }

  @Test
  void aWipeCarriesASignedOrderAndItsRefusalIsAFailure() throws Exception {
    var queued =
        (Outcome.Queued)
            rig.delivery()
                .operations()
                .instruct(
                    "press",
                    InstructionKind.WIPE,
                    Optional.empty(),
                    Optional.empty(),
                    DeliveryRig.ADMIN);
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> !agent.mail.isEmpty());
      var instruction = (Instruction) agent.mail.getFirst().message();
      String order = String.valueOf(instruction.order());
      assertThat(WipeOrder.verify(order, rig.keyset(), "press", 1, queued.id()).id())
          .isEqualTo(instruction.id());

      agent.answer(1, DeliveryReceipt.result(DeliveryReceipt.refusal("no such order")));
      agent.flush();
      DeliveryRig.await(() -> rig.undelivered() == 0);
    }
    assertThat(rig.audit("gateway.instruction").getLast().result()).contains("failure");
    assertThat(rig.audit("gateway.instruction").getLast().changes())
        .containsEntry("state", "refused")
        .containsEntry("result", "refused: no such order");
  }

  // Heads that cannot be read.

  @Test
  void keepsConfigurationsWhileTheHeadCannotBeReadAndInstructionsPassThem() throws Exception {
    rig.documents.unanswerable = "the newest head cannot be read: x";
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      DeliveryRig.await(() -> !rig.world().sessions.list().isEmpty());
      rig.instruct("press");
      rig.delivery().lookAround();

      agent.playUntil(() -> rig.undelivered() == 1);
      assertThat(waiting().getFirst().why()).isEqualTo("the newest head cannot be read: x");
      assertThat(sequences(agent)).containsExactly(2L);
      assertThat(rig.audit("gateway.message-superseded")).isEmpty();

      rig.documents.unanswerable = null;
      agent.playUntil(() -> rig.undelivered() == 0);
      assertThat(sequences(agent)).containsExactly(2L, 1L);
    }
    assertThat(rig.receipts()).containsExactly("press/mes@1 Applied");
  }

  @Test
  void keepsAMessageWhoseReceiptCannotBeJudged() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      rig.documents.unanswerable = "the newest head cannot be read: x";
      agent.answer(1, rig.applied("press", agent.mail.getFirst()));
      agent.flush();
      DeliveryRig.await(() -> rig.documents.refused.get() > 0);
      assertThat(rig.undelivered()).isEqualTo(1);

      rig.documents.unanswerable = null;
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);
    }
    assertThat(rig.receipts()).containsExactly("press/mes@1 Applied");
  }

  @Test
  void aPassThatTheByteBudgetBrokeIsMadeAgain() throws Exception {
    rig.documents.head = "h".repeat(200_000);
    for (int i = 0; i < Sender.WINDOW; i++) {
      rig.deploy("press", "system-" + i, new byte[14_000]);
    }
    // Marked as sent on the very session that comes, all but the last.
    DeliveryRig.postgres()
        .execute(
            "update messages set sent_at = now(), sent_slot = 0, sent_epoch = 1 where sequence < "
                + Sender.WINDOW);
    rig.documents.failure.set(new IllegalStateException("once"));

    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);

      assertThat(sequences(agent)).hasSize(Sender.WINDOW);
    }
  }

  // Receipts of no message.

  @Test
  void recordsWhatTheAgentAppliedByItselfAndForgetsTheMessageAboutIt() throws Exception {
    try (MockAgent agent = rig.connect("press")) {
      DeliveryRig.await(() -> !rig.world().sessions.list().isEmpty());
      rig.deploy("press", "mes");
      rig.deploy("press", "scada");
      agent.playUntil(() -> agent.mail.size() == 2);
      agent.answer(
          DeliveryReceipt.NO_MESSAGE,
          rig.signed(
              "press", "mes", 1, TestDocuments.hash("press", "mes", 1), new Receipt.Applied()));
      agent.flush();
      DeliveryRig.await(() -> rig.undelivered() == 1);

      assertThat(rig.receipts()).containsExactly("press/mes@1 Applied");
      assertThat(waiting().getFirst().system()).contains("scada");
      assertThat(rig.delivery().counters().acknowledged()).isEqualTo(1);
    }
  }

  @Test
  void aDeploymentBesideAReceiptOfNoMessageWaitsForItSoThatAVersionHasOneFate() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      Thread author = Thread.ofVirtual().unstarted(() -> rig.deploy("press", "mes"));
      rig.documents.beforeNewest.set(
          () -> {
            author.start();
            DeliveryRig.await(() -> rig.isAnyoneWaitingForALock() || !author.isAlive());
          });
      agent.answer(
          DeliveryReceipt.NO_MESSAGE,
          rig.signed(
              "press", "mes", 1, TestDocuments.hash("press", "mes", 1), new Receipt.Applied()));
      agent.flush();
      agent.playUntil(() -> agent.mail.size() == 2);
      author.join();

      assertThat(rig.receipts()).containsExactly("press/mes@1 Applied");
      assertThat(rig.audit("gateway.message-superseded")).isEmpty();
    }
  }

  @Test
  void aReceiptOfNoMessageAboutWhatIsNotListedChangesNothing() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(
          DeliveryReceipt.NO_MESSAGE,
          rig.signed(
              "press", "mes", 9, TestDocuments.hash("press", "mes", 9), new Receipt.Applied()));
      agent.flush();
      DeliveryRig.await(() -> rig.delivery().counters().late() == 1);

      assertThat(rig.undelivered()).isEqualTo(1);
      assertThat(rig.receipts()).isEmpty();
    }
  }

  @Test
  void endsTheSessionForAForgedReceiptOfNoMessage() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(
          DeliveryReceipt.NO_MESSAGE,
          DeliveryRig.signedBy(
              SigningKey.generate(new SecureRandom()),
              "press",
              "mes",
              1,
              TestDocuments.hash("press", "mes", 1),
              new Receipt.Applied()));
      agent.flush();

      assertRefused(agent, "the signature is not that of the agent's identity");
    }
  }

  @Test
  void endsTheSessionForAResultOfNoMessage() throws Exception {
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      agent.playUntil(() -> agent.mail.size() == 1);
      agent.answer(DeliveryReceipt.NO_MESSAGE, DeliveryReceipt.result("done"));
      agent.flush();

      assertRefused(agent, "a result of no message");
    }
  }

  // Broken off at the worst moments.

  private void dieOnceAt(String name) {
    var died = new AtomicBoolean();
    rig.failpoint =
        passed -> {
          if (passed.equals(name) && died.compareAndSet(false, true)) {
            throw new IllegalStateException("the broker dies here");
          }
        };
  }

  @Test
  void aMessageThatWasCommittedIsDeliveredThoughItsAuthorHeardNothing() throws Exception {
    dieOnceAt(Delivery.FAIL_AFTER_QUEUED);
    assertThatThrownBy(() -> rig.deploy("press", "mes")).hasMessage("the broker dies here");

    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);
    }
    assertThat(rig.receipts()).containsExactly("press/mes@1 Applied");
  }

  @Test
  void aReceiptThatWasNotCommittedIsAskedForAgain() throws Exception {
    dieOnceAt(Delivery.FAIL_BEFORE_RECORDED);
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.awaitWebSocketClose();
    }
    assertThat(rig.receipts()).isEmpty();
    assertThat(rig.undelivered()).isEqualTo(1);

    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);
    }
    assertThat(rig.receipts()).containsExactly("press/mes@1 Applied");
  }

  @Test
  void aMessageWhoseSendingBrokeOffIsRecordedOnce() throws Exception {
    dieOnceAt(Delivery.FAIL_AFTER_SENT);
    rig.deploy("press", "mes");
    try (MockAgent agent = rig.connect("press")) {
      rig.applyAll(agent, "press");
      agent.playUntil(() -> rig.undelivered() == 0);
    }
    assertThat(rig.receipts()).containsExactly("press/mes@1 Applied");
  }

  // Where to send.

  @Test
  void usesTheLowestLiveSlotAndTheNextOneWhenThatEnds() throws Exception {
    try (MockAgent second = rig.connect("press", 1)) {
      MockAgent first = rig.connect("press", 0);
      DeliveryRig.await(() -> rig.world().sessions.list().size() == 2);
      rig.instruct("press");
      first.playUntil(() -> first.mail.size() == 1);
      assertThat(second.mail).isEmpty();

      first.hangUp();
      second.playUntil(() -> second.mail.size() == 1);
    }
  }

  @Test
  void saysWhyAMessageWaits() throws Exception {
    rig.instruct("press");
    assertThat(waiting().getFirst().why()).isEqualTo("agent has never been online");
    DeliveryRig.postgres()
        .execute(
            "insert into connections (agent, slot, epoch, node, connected_at, alive_at,"
                + " disconnected_at) values ('press', 0, 1, 'node', '2026-01-01T00:00:00Z',"
                + " '2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z')");

    assertThat(waiting().getFirst().why()).isEqualTo("agent is offline since 2026-01-01T02:00:00Z");
    assertThat(waiting().getFirst().sent()).isEmpty();
  }
}
