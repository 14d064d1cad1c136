package io.penstock.broker.delivery;

import io.penstock.broker.agents.Failpoint;
import io.penstock.broker.delivery.Acknowledgements.Answer;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.EpochTable.SlotEpoch;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.seal.SealException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Judges receipts and records them: what the agent did, the end of its message, audit and alarms,
/// all in one transaction. A receipt counts only while its session is the newest of its slot.
final class Recorder {
  private final Database database;
  private final MessageTable messages;
  private final EpochTable epochs = new EpochTable();
  private final Documents documents;
  private final DeliveryLedger ledger;
  private final DeliveryCounters counters;
  private final Failpoint failpoint;
  private final Clock clock;

  Recorder(
      Database database,
      MessageTable messages,
      Documents documents,
      DeliveryLedger ledger,
      DeliveryCounters counters,
      Failpoint failpoint,
      Clock clock) {
    this.database = database;
    this.messages = messages;
    this.documents = documents;
    this.ledger = ledger;
    this.counters = counters;
    this.failpoint = failpoint;
    this.clock = clock;
  }

  void record(List<Answer> batch) {
    Map<Answer, String> bad = new LinkedHashMap<>();
    List<CheckedAnswer> checked = new ArrayList<>();
    for (Answer answer : batch) {
      answer.attached().answered(answer.sequence());
      checked.addAll(check(answer, bad));
    }
    if (!checked.isEmpty() || !bad.isEmpty()) {
      database.repeatable(
          tx -> {
            record(tx, checked, bad);
            return true;
          });
    }
  }

  /// Empty: nothing of it counts, and its session ends.
  private List<CheckedAnswer> check(Answer answer, Map<Answer, String> bad) {
    try {
      return CheckedAnswer.of(answer);
    } catch (ProtocolException broken) {
      counters.refused.increment();
      answer.attached().session().close(broken.code(), "a receipt that is none");
    } catch (SealException _) {
      bad.put(answer, "the signature is not that of the agent's identity");
    }
    return List.of();
  }

  private void record(Tx tx, List<CheckedAnswer> checked, Map<Answer, String> bad) {
    bad.forEach((answer, what) -> refuse(tx, answer, what));
    List<CheckedAnswer> current = unfenced(tx, checked);
    if (!current.isEmpty()) {
      new ReceiptBatch(tx, messages, documents, ledger, counters, current)
          .record(clock.instant())
          .forEach((answer, what) -> refuse(tx, answer, what));
    }
    failpoint.passed(Delivery.FAIL_BEFORE_RECORDED);
  }

  private List<CheckedAnswer> unfenced(Tx tx, List<CheckedAnswer> verified) {
    if (verified.isEmpty()) {
      return verified;
    }
    List<SlotEpoch> overtaken =
        epochs.overtaken(tx, verified.stream().map(CheckedAnswer::epoch).distinct().toList());
    if (overtaken.isEmpty()) {
      return verified;
    }
    List<CheckedAnswer> current =
        verified.stream().filter(one -> !overtaken.contains(one.epoch())).toList();
    tx.afterCommit(() -> counters.fenced.add(verified.size() - current.size()));
    return current;
  }

  /// What no honest agent sends. The alarm stands before the session ends.
  private void refuse(Tx tx, Answer answer, String what) {
    LiveSession session = answer.attached().session();
    ledger.badReceipt(
        tx,
        session.admission().agent(),
        session.remote().getHostAddress(),
        answer.sequence(),
        what);
    tx.afterCommit(() -> session.close(ErrorCode.PROTOCOL_ERROR, "a receipt that does not hold"));
  }
}
