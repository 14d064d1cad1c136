package io.penstock.agent.config;

import io.penstock.agent.config.Receipts.Owed;
import io.penstock.agent.link.ConfigurationLine;
import io.penstock.codec.message.DeliveryReceipt;
import io.penstock.codec.seal.Receipt;
import io.penstock.codec.seal.SealException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes RECEIPT frames of what one line is told at one moment. What was applied is signed
/// together, as much as one document holds; a refusal, whose detail may be long, by itself.
final class Signing {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final ConfigurationLine line;
  private final long epochSeconds = Instant.now().getEpochSecond();
  private final List<Frame> frames = new ArrayList<>();

  // Of the next frame.
  private final List<Receipt> receipts = new ArrayList<>();
  private final List<Long> sequences = new ArrayList<>();

  record Frame(long sequence, DeliveryReceipt body) {}

  private Signing(ConfigurationLine line) {
    this.line = line;
  }

  static List<Frame> frames(ConfigurationLine line, List<Owed> answers) {
    var signing = new Signing(line);
    answers.stream().sorted(Comparator.comparingLong(Owed::sequence)).forEach(signing::add);
    signing.sign();
    return signing.frames;
  }

  private void add(Owed owed) {
    Optional<Receipt> receipt = receipt(owed);
    if (receipt.isEmpty()) {
      frames.add(new Frame(owed.sequence(), DeliveryReceipt.result(DeliveryReceipt.UNKNOWN)));
      return;
    }
    if (!owed.word().isApplied() || receipts.size() == Receipt.MAX_TOGETHER) {
      sign();
    }
    receipts.add(receipt.get());
    sequences.add(owed.sequence());
    if (!owed.word().isApplied()) {
      sign();
    }
  }

  /// Empty: the message is about what can be no system, and answered as one that nobody
  /// understands.
  private Optional<Receipt> receipt(Owed owed) {
    try {
      return Optional.of(
          new Receipt(
              line.agent(),
              line.generation(),
              owed.word().system(),
              owed.word().held().version(),
              owed.word().held().headerSha256(),
              owed.word().outcome(),
              epochSeconds));
    } catch (SealException impossible) {
      LOG.warn("a message is about no system: {}", impossible.getMessage());
      return Optional.empty();
    }
  }

  private void sign() {
    if (receipts.isEmpty()) {
      return;
    }
    String signed = Receipt.sign(receipts, line.signing());
    long last = sequences.getLast();
    boolean several = receipts.size() > 1 && last != DeliveryReceipt.NO_MESSAGE;
    frames.add(
        new Frame(
            last, several ? DeliveryReceipt.of(signed, sequences) : DeliveryReceipt.of(signed)));
    receipts.clear();
    sequences.clear();
  }
}
