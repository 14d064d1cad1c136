package io.penstock.broker.delivery;

import io.penstock.broker.delivery.Acknowledgements.Answer;
import io.penstock.broker.tunnel.LiveSession;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.message.Messages;
import java.util.List;

/// Receipts of agents without a tunnel, which come with a heartbeat: judged and recorded like every
/// other that answers no message, and those that were waiting are answered by them.
public final class GatewayReceipts {
  public static final int MAX_CHARS = DeliveryReceipt.MAX_RECEIPT_CHARS;

  private final Recorder recorder;

  GatewayReceipts(Recorder recorder) {
    this.recorder = recorder;
  }

  /// Recorded when it returns. What does not hold raises the alarm and closes `session`.
  public void record(LiveSession session, List<String> receiptJws) {
    var attached = new Attached(session);
    recorder.record(
        receiptJws.stream()
            .map(
                jws ->
                    new Answer(
                        attached,
                        DeliveryReceipt.NO_MESSAGE,
                        Messages.encode(DeliveryReceipt.of(jws))))
            .toList());
  }
}
