package io.penstock.broker.tunnel;

import io.penstock.codec.ErrorCode;
import io.penstock.codec.message.ControlMessage;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// The authority's end of one tunnel, on the authority's thread.
final class Conversation implements ControlChannel {
  private final Session session;
  private final Inbox inbox;
  private boolean spoken;

  Conversation(Session session, Inbox inbox) {
    this.session = session;
    this.inbox = inbox;
  }

  /// Whether anything was said to the agent.
  boolean hasSpoken() {
    return spoken;
  }

  @Override
  public void send(ControlMessage message) {
    spoken = true;
    session.send(message);
  }

  @Override
  public <M extends ControlMessage> M receive(Class<M> expected, Duration within)
      throws TunnelRefused {
    try {
      ControlMessage message = inbox.take(within).orElse(null);
      if (message == null) {
        throw new TunnelRefused(
            ErrorCode.UNAVAILABLE, 0, "no " + expected.getSimpleName() + " came in time");
      }
      if (!expected.isInstance(message)) {
        throw new TunnelRefused(
            ErrorCode.PROTOCOL_ERROR, 0, "expected " + expected.getSimpleName());
      }
      return expected.cast(message);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new TunnelRefused(ErrorCode.UNAVAILABLE, 1_000, "the broker stops");
    }
  }

  @Override
  public LiveSession admit(Admission admission) {
    var done = new CompletableFuture<Void>();
    boolean handed =
        session.onLoop(
            () -> {
              session.admit(admission);
              done.complete(null);
            });
    if (handed) {
      done.join();
    }
    return session;
  }

  @Override
  public boolean awaitClosed(Duration within) {
    try {
      return inbox.awaitClosed(within);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return !isOpen();
    }
  }

  @Override
  public boolean isOpen() {
    return session.isOpen();
  }
}
