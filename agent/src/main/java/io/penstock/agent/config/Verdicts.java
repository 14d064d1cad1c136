package io.penstock.agent.config;

import io.penstock.agent.config.Receipts.Word;
import io.penstock.codec.message.ControlMessage.State;
import io.penstock.codec.seal.HeldVersion;
import io.penstock.codec.seal.Receipt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says what became of a version: to the log, in its system's status, and in a receipt. Of the
/// configuration's thread.
final class Verdicts {
  private static final Logger LOG = LoggerFactory.getLogger("agent");

  private final Deployments deployments;
  private final Announcements announcements;
  private final Receipts receipts;

  Verdicts(Deployments deployments, Announcements announcements, Receipts receipts) {
    this.deployments = deployments;
    this.announcements = announcements;
    this.receipts = receipts;
  }

  /// A message asked for it.
  void applied(Asked asked, HeldVersion held) {
    answer(asked, held, new Receipt.Applied());
  }

  /// Nobody asked.
  void applied(String system, HeldVersion held) {
    receipts.tell(new Word(system, held, new Receipt.Applied()));
  }

  /// A message asked for it.
  void refused(Asked asked, HeldVersion held, Refusal refusal) {
    failed(asked.system(), held, refusal);
    answer(asked, held, outcome(refusal));
  }

  /// Nobody asked.
  void refused(String system, HeldVersion held, Refusal refusal) {
    failed(system, held, refusal);
    receipts.tell(new Word(system, held, outcome(refusal)));
  }

  private static Receipt.Outcome outcome(Refusal refusal) {
    return Receipt.Refused.of(refusal.reason(), refusal.detail());
  }

  private void answer(Asked asked, HeldVersion held, Receipt.Outcome outcome) {
    receipts.answer(asked.line(), asked.sequence(), new Word(asked.system(), held, outcome));
  }

  private void failed(String system, HeldVersion held, Refusal refusal) {
    LOG.warn("{}: version {} is refused: {}", system, held.version(), refusal);
    deployments.failed(system, held, State.FAILED, refusal.toString());
    announcements.changed();
  }

  void notFetched(String system, HeldVersion held, String why) {
    LOG.warn("{}: version {} could not be fetched: {}", system, held.version(), why);
    deployments.failed(system, held, State.PENDING, "its document could not be fetched");
    announcements.changed();
  }

  /// Only of what does not run, and keeps the last refusal of the same version.
  void pending(String system, HeldVersion held, String why) {
    boolean refused =
        deployments
            .status(system)
            .filter(it -> it.state() == State.FAILED && it.held().equals(held))
            .isPresent();
    if (deployments.running(system).isEmpty() && !refused) {
      deployments.failed(system, held, State.PENDING, why);
      announcements.changed();
    }
  }

  /// Whether it runs, but takes no calls.
  boolean isSuspended(String system) {
    return deployments.status(system).filter(it -> it.state() == State.FAILED).isPresent();
  }
}
