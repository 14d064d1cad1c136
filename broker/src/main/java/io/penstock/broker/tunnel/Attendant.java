package io.penstock.broker.tunnel;

import io.penstock.codec.ErrorCode;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The virtual thread that lets the authority speak with one agent, and does what it decides.
final class Attendant {
  /// What the authority does with the conversation.
  interface Business {
    void attend(ControlChannel channel) throws TunnelRefused;
  }

  /// All that a stranger learns of a refused enrollment.
  static final String DENIED = "ENROLL_DENIED";

  private static final int RETRY_AFTER_BUG_MS = 5_000;
  private static final Logger LOG = LoggerFactory.getLogger(Attendant.class);

  private final Session session;
  private final Conversation conversation;
  private final Business business;
  private final LongSupplier denialDelayNanos;

  /// @param denialDelayNanos what is left of the time after which a refused enrollment is answered
  Attendant(
      Session session,
      Conversation conversation,
      Business business,
      LongSupplier denialDelayNanos) {
    this.denialDelayNanos = denialDelayNanos;
    this.session = session;
    this.conversation = conversation;
    this.business = business;
  }

  void start() {
    Thread.ofVirtual().name("tunnel-authority").start(this::run);
  }

  private void run() {
    try {
      business.attend(conversation);
      session.onLoop(session::conversationOver);
    } catch (TunnelRefused refused) {
      refuse(refused);
    } catch (RuntimeException bug) {
      LOG.error("a tunnel cannot be judged", bug);
      refuse(new TunnelRefused(ErrorCode.UNAVAILABLE, RETRY_AFTER_BUG_MS, "try again later"));
    }
  }

  /// A refused enrollment to which nothing was said yet looks like one with a wrong secret.
  private void refuse(TunnelRefused refused) {
    if (refused.code() == ErrorCode.ENROLL_DENIED && !conversation.hasSpoken()) {
      session.onLoop(() -> session.denyIn(denialDelayNanos.getAsLong(), DENIED));
    } else {
      session.onLoop(() -> session.refused(refused));
    }
  }
}
