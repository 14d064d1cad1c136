package io.penstock.broker.delivery;

import io.penstock.broker.delivery.Acknowledgements.Answer;
import io.penstock.broker.delivery.Documents.Newest;
import io.penstock.broker.delivery.Documents.Told;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Kind;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.MessageTable.MessageKey;
import io.penstock.broker.store.MessageTable.UpTo;
import io.penstock.broker.store.Tx;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.HeadManifest;
import io.penstock.codec.seal.Receipt;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Answers that are recorded in one transaction: all is read first, then each is judged, then all
/// is written.
final class ReceiptBatch {
  private final Tx tx;
  private final MessageTable messages;
  private final Documents documents;
  private final DeliveryLedger ledger;
  private final DeliveryCounters counters;
  private final List<CheckedAnswer> answers;
  private final Map<MessageKey, Message> rows = new LinkedHashMap<>();
  private final Map<Addressee, Newest> newest;

  /// Messages that are over if it is this batch that takes them.
  private final Set<MessageKey> over = new LinkedHashSet<>();

  /// In the order of the answers, which is that in which they came.
  private final List<Step> steps = new ArrayList<>();

  private final List<Told> told = new ArrayList<>();
  private final List<Message> dropped = new ArrayList<>();

  /// What is to be said of an answer.
  ///
  /// @param about the message that has to be taken for it
  private record Step(Optional<MessageKey> about, Runnable action) {}

  ReceiptBatch(
      Tx tx,
      MessageTable messages,
      Documents documents,
      DeliveryLedger ledger,
      DeliveryCounters counters,
      List<CheckedAnswer> answers) {
    this.tx = tx;
    this.messages = messages;
    this.documents = documents;
    this.ledger = ledger;
    this.counters = counters;
    this.answers = answers;
    read();
    Set<Addressee> agents =
        answers.stream()
            .filter(one -> one.told().isPresent())
            .map(CheckedAnswer::addressee)
            .collect(Collectors.toSet());
    newest = agents.isEmpty() ? Map.of() : documents.newest(tx, agents);
  }

  private void read() {
    List<MessageKey> keys =
        answers.stream().filter(one -> !one.ofNoMessage()).map(CheckedAnswer::key).toList();
    if (!keys.isEmpty()) {
      messages.find(tx, keys).forEach(row -> rows.put(row.key(), row));
    }
    List<UpTo> versions =
        answers.stream()
            .filter(CheckedAnswer::ofNoMessage)
            .flatMap(one -> one.receipt().stream())
            .map(it -> new UpTo(it.agent(), it.generation(), it.system(), it.version()))
            .toList();
    // What no message asked for is told without taking one: the lock keeps a deployment from
    // superseding it meanwhile, so that a version has one fate.
    if (!versions.isEmpty()) {
      messages.lockUpTo(tx, versions).forEach(row -> rows.put(row.key(), row));
    }
  }

  /// The answers with something bad in them, and why; what else is in them is recorded.
  Map<Answer, String> record(Instant now) {
    Map<Answer, String> bad = new LinkedHashMap<>();
    for (CheckedAnswer one : answers) {
      Optional<String> wrong = one.ofNoMessage() ? judgeAlone(one) : judge(one);
      wrong.ifPresent(what -> bad.putIfAbsent(one.answer(), what));
    }
    takeMessages();
    if (!dropped.isEmpty()) {
      documents.superseded(tx, dropped);
    }
    if (!told.isEmpty()) {
      documents.receipts(tx, told, now);
      ledger.receipts(tx, told.stream().map(Told::receipt).toList());
    }
    return bad;
  }

  /// Who takes a row decides.
  private void takeMessages() {
    Set<MessageKey> taken = over.isEmpty() ? Set.of() : messages.take(tx, over);
    for (Step step : steps) {
      if (step.about().filter(key -> !taken.contains(key)).isEmpty()) {
        step.action().run();
      } else {
        tx.afterCommit(counters.late::increment);
      }
    }
  }

  private void end(Message row, Runnable action) {
    over.add(row.key());
    steps.add(new Step(Optional.of(row.key()), action));
  }

  /// Empty: as it should be. Else what is wrong with it.
  private Optional<String> judge(CheckedAnswer one) {
    // A second receipt of the same message finds no row.
    Message row = over.contains(one.key()) ? null : rows.get(one.key());
    if (row == null || row.generation() != one.addressee().generation()) {
      tx.afterCommit(counters.late::increment);
      return Optional.empty();
    }
    if (!row.genuine()) {
      end(row, () -> ledger.tampered(tx, row));
      return Optional.empty();
    }
    return row.content().kind() == Kind.INSTRUCTION
        ? judgeInstruction(row, one.result())
        : judgeConfiguration(row, one);
  }

  private Optional<String> judgeInstruction(Message row, Optional<String> result) {
    if (result.isEmpty()) {
      return Optional.of("a signed receipt where an instruction's result is due");
    }
    end(row, () -> ledger.done(tx, row, result.get()));
    return Optional.empty();
  }

  private Optional<String> judgeConfiguration(Message row, CheckedAnswer one) {
    if (one.told().isEmpty()) {
      if (!one.result().equals(Optional.of(DeliveryReceipt.UNKNOWN))) {
        return Optional.of("a result where a signed receipt is due");
      }
      end(row, () -> ledger.unknown(tx, row));
      return Optional.empty();
    }
    Receipt receipt = one.told().get().receipt();
    boolean same =
        isOfItsAgent(receipt, one)
            && Optional.of(receipt.system()).equals(row.content().system())
            && Optional.of(receipt.version()).equals(row.content().version());
    if (!same) {
      return Optional.of("a receipt that is about something else");
    }
    return switch (look(receipt, one)) {
      case LISTED -> {
        end(row, () -> told.add(one.told().get()));
        yield Optional.empty();
      }
      case NOT_LISTED -> {
        end(row, () -> supersede(row));
        yield Optional.empty();
      }
      case OTHER_HASH -> Optional.of("a hash that the newest head does not list");
      case UNKNOWN -> {
        keep(one);
        yield Optional.empty();
      }
    };
  }

  private void supersede(Message row) {
    dropped.add(row);
    ledger.superseded(tx, row, "the newest head does not list it");
  }

  /// What the agent did by itself, at its start or by a renewed head: no message told it to, or
  /// one that still waits.
  private Optional<String> judgeAlone(CheckedAnswer one) {
    if (one.told().isEmpty()) {
      return Optional.of("a result of no message");
    }
    Receipt receipt = one.told().get().receipt();
    if (!isOfItsAgent(receipt, one)) {
      return Optional.of("a receipt that is about something else");
    }
    return switch (look(receipt, one)) {
      case LISTED -> {
        steps.add(new Step(Optional.empty(), () -> told.add(one.told().get())));
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
        .forEach(row -> over.add(row.key()));
  }

  private static boolean isOfItsAgent(Receipt receipt, CheckedAnswer one) {
    return receipt.agent().equals(one.addressee().agent())
        && receipt.generation() == one.addressee().generation();
  }

  private Look look(Receipt receipt, CheckedAnswer one) {
    if (!(newest.get(one.addressee()) instanceof Newest.Head head)) {
      return Look.UNKNOWN;
    }
    HeadManifest.Entry entry = head.systems().get(receipt.system());
    if (entry == null || entry.version() != receipt.version()) {
      return Look.NOT_LISTED;
    }
    return entry.held().headerSha256().equals(receipt.headerSha256())
        ? Look.LISTED
        : Look.OTHER_HASH;
  }

  /// Its message is sent again once the head can be read.
  private void keep(CheckedAnswer one) {
    tx.afterCommit(one.answer().attached()::doubt);
  }

  /// How a receipt compares with the newest head.
  private enum Look {
    LISTED,
    NOT_LISTED,
    OTHER_HASH,
    /// The head cannot be read.
    UNKNOWN
  }
}
