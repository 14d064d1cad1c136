package io.penstock.broker.delivery;

import io.penstock.broker.agents.Failpoint;
import io.penstock.broker.delivery.Acknowledgements.Answer;
import io.penstock.broker.delivery.Documents.Listed;
import io.penstock.broker.delivery.Documents.Newest;
import io.penstock.broker.delivery.Documents.Told;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.EpochTable.SlotEpoch;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Kind;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.MessageTable.MessageKey;
import io.penstock.broker.store.MessageTable.UpTo;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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

  /// A receipt as far as it can be judged without its message.
  ///
  /// @param receipt verified; empty for a result
  private record Verified(Answer answer, DeliveryReceipt body, Optional<Receipt> receipt) {
    boolean ofNoMessage() {
      return answer.sequence() == DeliveryReceipt.NO_MESSAGE;
    }

    Addressee addressee() {
      return answer.attached().addressee();
    }

    MessageKey key() {
      return new MessageKey(answer.attached().agent(), answer.sequence());
    }

    Admission admission() {
      return answer.attached().session().admission();
    }

    SlotEpoch epoch() {
      return new SlotEpoch(admission().agent(), admission().slot(), admission().sessionEpoch());
    }
  }

  /// What no honest agent sends.
  private record Bad(Answer answer, String what) {}

  void record(List<Answer> batch) {
    var bad = new ArrayList<Bad>();
    var verified = new ArrayList<Verified>();
    for (Answer answer : batch) {
      answer.attached().answered(answer.sequence());
      verify(answer, bad).ifPresent(verified::add);
    }
    if (!verified.isEmpty()) {
      bad.addAll(database.repeatable(tx -> record(tx, verified)));
    }
    bad.forEach(this::refuse);
  }

  private Optional<Verified> verify(Answer answer, List<Bad> bad) {
    try {
      boolean expected =
          answer.sequence() == DeliveryReceipt.NO_MESSAGE
              || answer.attached().knows(answer.sequence());
      if (!expected) {
        throw new ProtocolException(
            ErrorCode.PROTOCOL_ERROR, "expected the receipt of a message that was sent");
      }
      DeliveryReceipt body = Messages.decodeReceipt(answer.body());
      String jws = body.receipt();
      return Optional.of(
          new Verified(
              answer,
              body,
              jws == null ? Optional.empty() : Optional.of(verify(answer.attached(), jws))));
    } catch (ProtocolException broken) {
      counters.refused.increment();
      answer.attached().session().close(broken.code(), "a receipt that is none");
    } catch (SealException _) {
      bad.add(new Bad(answer, "the signature is not that of the agent's identity"));
    }
    return Optional.empty();
  }

  /// By the key whose READY admitted the session: new identity keys count from the next session on.
  private static Receipt verify(Attached attached, String jws) {
    return Receipt.verify(jws, attached.session().admission().signingKey());
  }

  private List<Bad> record(Tx tx, List<Verified> verified) {
    var batch = new Batch(tx, unfenced(tx, verified));
    batch.judge();
    batch.write();
    failpoint.passed(Delivery.FAIL_BEFORE_RECORDED);
    return batch.bad;
  }

  private List<Verified> unfenced(Tx tx, List<Verified> verified) {
    List<SlotEpoch> overtaken =
        epochs.overtaken(tx, verified.stream().map(Verified::epoch).distinct().toList());
    if (overtaken.isEmpty()) {
      return verified;
    }
    List<Verified> current =
        verified.stream().filter(one -> !overtaken.contains(one.epoch())).toList();
    tx.afterCommit(() -> counters.fenced.add(verified.size() - current.size()));
    return current;
  }

  /// Receipts that are recorded in one transaction: all is read first, then each is judged, then
  /// all is written.
  private final class Batch {
    final List<Bad> bad = new ArrayList<>();
    private final Tx tx;
    private final List<Verified> receipts;
    private final Map<MessageKey, Message> rows = new LinkedHashMap<>();
    private final Map<Addressee, Newest> newest;
    private final Set<MessageKey> over = new LinkedHashSet<>();
    private final List<Told> told = new ArrayList<>();

    Batch(Tx tx, List<Verified> receipts) {
      this.tx = tx;
      this.receipts = receipts;
      lock();
      Set<Addressee> agents =
          receipts.stream()
              .filter(one -> one.receipt().isPresent())
              .map(Verified::addressee)
              .collect(Collectors.toSet());
      newest = agents.isEmpty() ? Map.of() : documents.newest(tx, agents);
    }

    private void lock() {
      List<MessageKey> keys =
          receipts.stream().filter(one -> !one.ofNoMessage()).map(Verified::key).toList();
      if (!keys.isEmpty()) {
        messages.lock(tx, keys).forEach(row -> rows.put(row.key(), row));
      }
      List<UpTo> versions =
          receipts.stream()
              .filter(Verified::ofNoMessage)
              .flatMap(one -> one.receipt().stream())
              .map(it -> new UpTo(it.agent(), it.generation(), it.system(), it.version()))
              .toList();
      if (!versions.isEmpty()) {
        messages.lockUpTo(tx, versions).forEach(row -> rows.put(row.key(), row));
      }
    }

    void judge() {
      for (Verified one : receipts) {
        Optional<String> wrong = one.ofNoMessage() ? judgeAlone(one) : judge(one);
        wrong.ifPresent(what -> bad.add(new Bad(one.answer(), what)));
      }
    }

    void write() {
      Instant now = clock.instant();
      if (!told.isEmpty()) {
        documents.receipts(tx, told, now);
        ledger.receipts(tx, told.stream().map(Told::receipt).toList());
      }
      if (!over.isEmpty()) {
        messages.take(tx, List.copyOf(over));
      }
    }

    /// Empty: as it should be. Else what is wrong with it.
    private Optional<String> judge(Verified one) {
      // A second receipt of the same message finds no row.
      Message row = over.contains(one.key()) ? null : rows.get(one.key());
      if (row == null || row.generation() != one.admission().generation()) {
        tx.afterCommit(counters.late::increment);
        return Optional.empty();
      }
      if (!row.genuine()) {
        over.add(row.key());
        ledger.tampered(tx, row);
        return Optional.empty();
      }
      return row.content().kind() == Kind.INSTRUCTION
          ? judgeInstruction(row, one.body().result())
          : judgeConfiguration(row, one);
    }

    private Optional<String> judgeInstruction(Message row, @Nullable String result) {
      if (result == null) {
        return Optional.of("a signed receipt where an instruction's result is due");
      }
      over.add(row.key());
      ledger.done(tx, row, result);
      return Optional.empty();
    }

    private Optional<String> judgeConfiguration(Message row, Verified one) {
      String result = one.body().result();
      if (result != null) {
        if (!result.equals(DeliveryReceipt.UNKNOWN)) {
          return Optional.of("a result where a signed receipt is due");
        }
        over.add(row.key());
        ledger.unknown(tx, row);
        return Optional.empty();
      }
      Receipt receipt = one.receipt().orElseThrow();
      boolean same =
          isOfItsAgent(receipt, one)
              && Optional.of(receipt.system()).equals(row.content().system())
              && Optional.of(receipt.version()).equals(row.content().version());
      if (!same) {
        return Optional.of("a receipt that is about something else");
      }
      return switch (look(receipt, one)) {
        case LISTED -> {
          over.add(row.key());
          tell(receipt, one);
          yield Optional.empty();
        }
        case NOT_LISTED -> {
          over.add(row.key());
          ledger.superseded(tx, row, "the newest head does not list it");
          yield Optional.empty();
        }
        case OTHER_HASH -> Optional.of("a hash that the newest head does not list");
        case UNKNOWN -> {
          keep(one);
          yield Optional.empty();
        }
      };
    }

    /// What the agent did by itself, at its start or by a renewed head: no message told it to, or
    /// one that still waits.
    private Optional<String> judgeAlone(Verified one) {
      if (one.receipt().isEmpty()) {
        return Optional.of("a result of no message");
      }
      Receipt receipt = one.receipt().get();
      if (!isOfItsAgent(receipt, one)) {
        return Optional.of("a receipt that is about something else");
      }
      return switch (look(receipt, one)) {
        case LISTED -> {
          tell(receipt, one);
          takeMessagesOf(receipt);
          yield Optional.empty();
        }
        // The head has moved on since, and the next receipt with it.
        case NOT_LISTED -> {
          tx.afterCommit(counters.late::increment);
          yield Optional.empty();
        }
        case OTHER_HASH -> Optional.of("a hash that the newest head does not list");
        case UNKNOWN -> Optional.empty();
      };
    }

    private void takeMessagesOf(Receipt receipt) {
      rows.values().stream()
          .filter(Message::genuine)
          .filter(row -> row.agent().equals(receipt.agent()))
          .filter(row -> row.generation() == receipt.generation())
          .filter(row -> row.content().system().equals(Optional.of(receipt.system())))
          .filter(row -> row.content().version().orElse(Long.MAX_VALUE) <= receipt.version())
          .map(Message::key)
          .forEach(over::add);
    }

    private static boolean isOfItsAgent(Receipt receipt, Verified one) {
      return receipt.agent().equals(one.addressee().agent())
          && receipt.generation() == one.addressee().generation();
    }

    private Look look(Receipt receipt, Verified one) {
      if (!(newest.get(one.addressee()) instanceof Newest.Head head)) {
        return Look.UNKNOWN;
      }
      Optional<Listed> listed =
          head.listed(receipt.system()).filter(entry -> entry.version() == receipt.version());
      if (listed.isEmpty()) {
        return Look.NOT_LISTED;
      }
      return listed.get().headerSha256().equals(receipt.headerSha256())
          ? Look.LISTED
          : Look.OTHER_HASH;
    }

    private void tell(Receipt receipt, Verified one) {
      told.add(new Told(receipt, String.valueOf(one.body().receipt())));
    }

    /// Its message is sent again once the head can be read.
    private void keep(Verified one) {
      tx.afterCommit(one.answer().attached()::doubt);
    }
  }

  /// How a receipt compares with the newest head.
  private enum Look {
    LISTED,
    NOT_LISTED,
    OTHER_HASH,
    /// The head cannot be read.
    UNKNOWN
  }

  private void refuse(Bad bad) {
    var session = bad.answer().attached().session();
    session.close(ErrorCode.PROTOCOL_ERROR, "a receipt that does not hold");
    database.run(
        tx ->
            ledger.badReceipt(
                tx,
                session.admission().agent(),
                session.remote().getHostAddress(),
                bad.answer().sequence(),
                bad.what()));
  }
}
