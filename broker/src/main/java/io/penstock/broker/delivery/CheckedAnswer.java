package io.penstock.broker.delivery;

import io.penstock.broker.delivery.Acknowledgements.Answer;
import io.penstock.broker.delivery.Documents.Told;
import io.penstock.broker.store.EpochTable.SlotEpoch;
import io.penstock.broker.store.MessageTable.MessageKey;
import io.penstock.broker.store.ReceiptTable.Document;
import io.penstock.broker.tunnel.ControlChannel.Admission;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.ProtocolException;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// The answer to one message, or to none, as far as it can be checked without the message.
///
/// @param answer of which it is all or a part
/// @param sequence of the message; [DeliveryReceipt#NO_MESSAGE]
/// @param told a verified receipt; empty for a result
/// @param result empty for a receipt
record CheckedAnswer(Answer answer, long sequence, Optional<Told> told, Optional<String> result) {

  /// One for each message that `answer` is about. Throws [ProtocolException] when it is no answer
  /// to what was sent on its session, [SealException] when the agent's identity did not sign it.
  static List<CheckedAnswer> of(Answer answer) throws ProtocolException {
    DeliveryReceipt body = Messages.decodeReceipt(answer.body());
    List<Long> sequences = sequences(answer, body);
    String jws = body.receipt();
    if (jws == null) {
      return List.of(
          new CheckedAnswer(
              answer, answer.sequence(), Optional.empty(), Optional.ofNullable(body.result())));
    }
    // By the key whose READY admitted the session: new identity keys count from the next one on.
    List<Receipt> receipts =
        Receipt.verify(jws, answer.attached().session().admission().signingKey());
    boolean asked = answer.sequence() != DeliveryReceipt.NO_MESSAGE;
    if (asked && receipts.size() != sequences.size()) {
      throw unexpected("a receipt for each of " + sequences.size() + " messages", receipts.size());
    }
    Document document = Document.of(answer.attached().agent(), jws);
    return IntStream.range(0, receipts.size())
        .mapToObj(
            i ->
                new CheckedAnswer(
                    answer,
                    asked ? sequences.get(i) : DeliveryReceipt.NO_MESSAGE,
                    Optional.of(new Told(receipts.get(i), document)),
                    Optional.empty()))
        .toList();
  }

  /// The messages that it answers, all of them sent on its session.
  private static List<Long> sequences(Answer answer, DeliveryReceipt body)
      throws ProtocolException {
    List<Long> several = body.sequences();
    if (several == null) {
      if (answer.sequence() != DeliveryReceipt.NO_MESSAGE) {
        requireKnown(answer, answer.sequence());
      }
      return List.of(answer.sequence());
    }
    if (several.getLast() != answer.sequence()) {
      throw unexpected("the frame's " + answer.sequence() + " as last sequence", several.getLast());
    }
    for (long sequence : several) {
      requireKnown(answer, sequence);
    }
    return several;
  }

  private static void requireKnown(Answer answer, long sequence) throws ProtocolException {
    if (!answer.attached().knows(sequence)) {
      throw unexpected("the receipt of a message that was sent", sequence);
    }
  }

  private static ProtocolException unexpected(String expected, long found) {
    return new ProtocolException(
        ErrorCode.PROTOCOL_ERROR, "expected " + expected + ", found " + found);
  }

  boolean ofNoMessage() {
    return sequence == DeliveryReceipt.NO_MESSAGE;
  }

  Optional<Receipt> receipt() {
    return told.map(Told::receipt);
  }

  Addressee addressee() {
    return answer.attached().addressee();
  }

  MessageKey key() {
    return new MessageKey(answer.attached().agent(), sequence);
  }

  SlotEpoch epoch() {
    Admission admission = answer.attached().session().admission();
    return new SlotEpoch(admission.agent(), admission.slot(), admission.sessionEpoch());
  }
}
