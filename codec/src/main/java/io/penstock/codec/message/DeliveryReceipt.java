package io.penstock.codec.message;

import org.jspecify.annotations.Nullable;

/// The body of a RECEIPT, whose frame names the sequence it is about: the message may be forgotten.
///
/// @param receipt signed receipt, compact JWS; null where nothing was applied or refused:
///     instructions, and messages of a name that the agent does not know
/// @param result what came of an instruction, in words for the operator; [#UNKNOWN] for what the
///     agent does not know
public record DeliveryReceipt(@Nullable String receipt, @Nullable String result) {
  public static final String UNKNOWN = "unknown";

  /// The sequence of a receipt about what the agent did without a message: at its start, or by a
  /// renewed head. Messages are numbered from 1.
  public static final long NO_MESSAGE = 0;

  /// How the result of an instruction begins that the agent did not follow.
  private static final String REFUSED = "refused: ";

  private static final int MAX_RECEIPT_CHARS = 4 * 1024;
  private static final int MAX_RESULT_CHARS = 1_024;

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
  }

  public static DeliveryReceipt of(String receiptJws) {
    return new DeliveryReceipt(receiptJws, null);
  }

  public static DeliveryReceipt result(String text) {
    return new DeliveryReceipt(null, text);
  }

  /// The result of an instruction that the agent does not follow.
  public static String refusal(String why) {
    return REFUSED + why;
  }

  public static boolean isRefusal(String result) {
    return result.startsWith(REFUSED);
  }
}
