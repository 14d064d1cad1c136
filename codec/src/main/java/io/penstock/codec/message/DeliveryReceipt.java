package io.penstock.codec.message;

import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The body of a RECEIPT, whose frame names the sequence it is about, the last one if there are
/// several: those messages may be forgotten.
///
/// @param receipt signed receipts, compact JWS; null where nothing was applied or refused:
///     instructions, and messages of a name that the agent does not know
/// @param result what came of an instruction, in words for the operator; [#UNKNOWN] for what the
///     agent does not know
/// @param sequences the messages that the receipts answer, one each in their order, rising; null:
///     the frame's alone, or none
public record DeliveryReceipt(
    @Nullable String receipt, @Nullable String result, @Nullable List<Long> sequences) {
  public static final String UNKNOWN = "unknown";

  /// The sequence of a receipt about what the agent did without a message: at its start, or by a
  /// renewed head. Messages are numbered from 1.
  public static final long NO_MESSAGE = 0;

  /// How the result of an instruction begins that the agent did not follow.
  private static final String REFUSED = "refused: ";

  public static final int MAX_RECEIPT_CHARS = 12 * 1024;
  private static final int MAX_RESULT_CHARS = 1_024;
  private static final int MAX_SEQUENCES = 32;

  public DeliveryReceipt {
    if ((receipt == null) == (result == null)) {
      throw new IllegalArgumentException("expected either a receipt or a result");
    }
    if (receipt != null) {
      Expect.text("receipt", receipt, MAX_RECEIPT_CHARS);
    }
    if (result != null) {
      Expect.text("result", result, MAX_RESULT_CHARS);
    }
    if (sequences != null) {
      sequences = List.copyOf(sequences);
      if (result != null || sequences.size() > MAX_SEQUENCES || !rises(sequences)) {
        throw new IllegalArgumentException(
            "sequences: expected 1 to " + MAX_SEQUENCES + " rising ones beside a receipt");
      }
    }
  }

  private static boolean rises(List<Long> sequences) {
    return !sequences.isEmpty()
        && sequences.getFirst() >= 1
        && IntStream.range(1, sequences.size())
            .allMatch(i -> sequences.get(i - 1) < sequences.get(i));
  }

  public static DeliveryReceipt of(String receiptJws) {
    return new DeliveryReceipt(receiptJws, null, null);
  }

  /// @param sequences of the messages that its receipts answer; the frame names the last
  public static DeliveryReceipt of(String receiptsJws, List<Long> sequences) {
    return new DeliveryReceipt(receiptsJws, null, sequences);
  }

  public static DeliveryReceipt result(String text) {
    return new DeliveryReceipt(null, text, null);
  }

  /// The result of an instruction that the agent does not follow.
  public static String refusal(String why) {
    return REFUSED + why;
  }

  public static boolean isRefusal(String result) {
    return result.startsWith(REFUSED);
  }
}
