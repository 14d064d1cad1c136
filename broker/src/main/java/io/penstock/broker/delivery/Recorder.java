package io.penstock.broker.delivery;

import io.penstock.broker.agents.Failpoint;
import io.penstock.broker.agents.SigningKeys;
import io.penstock.broker.delivery.Acknowledgements.Answer;
import io.penstock.broker.delivery.Documents.Listed;
import io.penstock.broker.store.Database;
import io.penstock.broker.store.EpochTable;
import io.penstock.broker.store.EpochTable.SlotEpoch;
import io.penstock.broker.store.MessageTable;
import io.penstock.broker.store.MessageTable.Content;
import io.penstock.broker.store.MessageTable.Kind;
import io.penstock.broker.store.MessageTable.Message;
import io.penstock.broker.store.MessageTable.MessageKey;
import io.penstock.broker.store.Tx;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealException;
import io.penstock.codec.seal.VerifyingKey;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Judges receipts and records them: what the agent did, the end of its message, audit and alarms,
/// all in one transaction. A receipt counts only while its session is the newest of its slot.
final class Recorder {
  private final Database database;
  private final MessageTable messages;
  private final EpochTable epochs = new EpochTable();
  private final Documents documents;
  private final SigningKeys signingKeys;
  private final DeliveryLedger ledger;
  private final DeliveryCounters counters;
  private final Failpoint failpoint;
  private final Clock clock;

  Recorder(
      Database database,
      MessageTable messages,
      Documents documents,
      SigningKeys signingKeys,
      DeliveryLedger ledger,
      DeliveryCounters counters,
      Failpoint failpoint,
      Clock clock) {
    this.database = database;
    this.messages = messages;
    this.documents = documents;
    this.signingKeys = signingKeys;
    this.ledger = ledger;
    this.counters = counters;
    this.failpoint = failpoint;
    this.clock = clock;
  }

  /// A receipt as far as it can be judged without its message.
  ///
  /// @param receipt verified; empty for a result
  private record Verified(Answer answer, DeliveryReceipt body, Optional<Receipt> receipt) {
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
      bad.addAll(database.transaction(tx -> record(tx, verified)));
    }
    bad.forEach(this::refuse);
  }

  private Optional<Verified> verify(Answer answer, List<Bad> bad) {
    try {
      if (!answer.attached().knows(answer.sequence())) {
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

  private Receipt verify(Attached attached, String jws) {
    VerifyingKey key = attached.signingKey().orElseGet(() -> signingKey(attached));
    return Receipt.verify(jws, key);
  }

  /// Read once for a session: whatever changes an agent's keys ends its sessions.
  private VerifyingKey signingKey(Attached attached) {
    Admission admission = attached.session().admission();
    VerifyingKey key =
        database
            .transaction(tx -> signingKeys.of(tx, admission.agent(), admission.generation()))
            .orElseThrow(() -> new SealException("an agent without an approved key"));
    attached.signingKey(key);
    return key;
  }

  private List<Bad> record(Tx tx, List<Verified> verified) {
    List<Verified> current = unfenced(tx, verified);
    Map<MessageKey, Message> rows =
        messages.lock(tx, current.stream().map(Verified::key).toList()).stream()
            .collect(
                Collectors.toMap(
                    row -> new MessageKey(row.agent(), row.sequence()), Function.identity()));
    var bad = new ArrayList<Bad>();
    var over = new LinkedHashSet<MessageKey>();
    var heads = new Heads(tx);
    for (Verified one : current) {
      // A second receipt of the same message finds no row.
      Message row = over.contains(one.key()) ? null : rows.get(one.key());
      if (row == null) {
        tx.afterCommit(counters.late::increment);
        continue;
      }
      Optional<String> wrong = record(tx, heads, row, one);
      if (wrong.isPresent()) {
        bad.add(new Bad(one.answer(), wrong.get()));
      } else {
        over.add(one.key());
      }
    }
    if (!over.isEmpty()) {
      messages.take(tx, List.copyOf(over));
    }
    failpoint.passed(Delivery.FAIL_BEFORE_RECORDED);
    return bad;
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

  /// Empty: recorded, and the message is over. Else what is wrong with it.
  private Optional<String> record(Tx tx, Heads heads, Message row, Verified one) {
    if (!row.genuine()) {
      ledger.tampered(tx, row);
      return Optional.empty();
    }
    String result = one.body().result();
    if (row.content().kind() == Kind.INSTRUCTION) {
      if (result == null) {
        return Optional.of("a signed receipt where an instruction's result is due");
      }
      ledger.done(tx, row, result);
      return Optional.empty();
    }
    if (result != null) {
      if (!result.equals(DeliveryReceipt.UNKNOWN)) {
        return Optional.of("a result where a signed receipt is due");
      }
      ledger.unknown(tx, row);
      return Optional.empty();
    }
    return record(tx, heads, row, one.receipt().orElseThrow(), one);
  }

  private Optional<String> record(Tx tx, Heads heads, Message row, Receipt receipt, Verified one) {
    Content content = row.content();
    boolean same =
        receipt.agent().equals(row.agent())
            && receipt.generation() == one.admission().generation()
            && Optional.of(receipt.system()).equals(content.system())
            && Optional.of(receipt.version()).equals(content.version());
    if (!same) {
      return Optional.of("a receipt that is about something else");
    }
    Optional<Listed> listed =
        heads.of(row.agent()).stream()
            .filter(entry -> entry.system().equals(receipt.system()))
            .filter(entry -> entry.version() == receipt.version())
            .findFirst();
    if (listed.isEmpty()) {
      ledger.superseded(tx, row, "the newest head does not list it");
      return Optional.empty();
    }
    if (!listed.get().headerSha256().equals(receipt.headerSha256())) {
      return Optional.of("a hash that the newest head does not list");
    }
    Instant now = clock.instant();
    documents.receipt(tx, receipt, String.valueOf(one.body().receipt()), now);
    ledger.receipt(tx, receipt);
    return Optional.empty();
  }

  /// What the newest heads list, read once in a transaction.
  private final class Heads {
    private final Tx tx;
    private final Map<String, List<Listed>> byAgent = new HashMap<>();

    Heads(Tx tx) {
      this.tx = tx;
    }

    List<Listed> of(String agent) {
      return byAgent.computeIfAbsent(agent, name -> documents.listed(tx, name));
    }
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
