package io.penstock.agent.link;

import io.penstock.agent.identity.Identity;
import io.penstock.codec.ErrorCode;
import io.penstock.codec.seal.EnrollmentToken;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One of an agent's tunnels, kept for ever: a virtual thread that dials, serves, and dials again.
///
/// A DRAIN is make-before-break: the old session is left to itself, to finish what runs, while the
/// loop goes on to open the new one.
final class TunnelSlot implements Runnable {
  /// A draining broker may close before its time is up; nobody waits longer than this for it.
  private static final Duration LONGEST_DRAIN = Duration.ofMinutes(10);
  private static final Logger LOG = LoggerFactory.getLogger(TunnelSlot.class);
  private static final Duration WAKE_UP = Duration.ofSeconds(60);

  private final int slot;
  private final Surroundings surroundings;
  private final Identity identity;
  private final Connecting connecting;
  private final Optional<EnrollmentToken> token;
  private final SlotWatcher watcher;
  private final Backoff backoff = new Backoff(ThreadLocalRandom.current());
  private final AtomicReference<@Nullable Session> live = new AtomicReference<>();
  private final SlotStatus status;
  private int attempt;

  /// What the link learns from its slots.
  interface SlotWatcher {
    /// @param tunnels how many the broker wants
    void admitted(int slot, int tunnels);

    void over(LinkFailure forGood);
  }

  TunnelSlot(
      int slot,
      Surroundings surroundings,
      Identity identity,
      Connecting connecting,
      Optional<EnrollmentToken> token,
      SlotWatcher watcher) {
    this.slot = slot;
    this.surroundings = surroundings;
    this.identity = identity;
    this.connecting = connecting;
    this.token = token;
    this.watcher = watcher;
    status = new SlotStatus(slot);
  }

  SlotStatus status() {
    return status;
  }

  /// The session that serves now.
  Optional<Session> live() {
    return Optional.ofNullable(live.get()).filter(Session::isOpen);
  }

  @Override
  public void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        if (!runOnce()) {
          return;
        }
      }
    } catch (InterruptedException _) {
      // The process ends; Link closes what is open.
    }
  }

  /// False when trying again is pointless.
  private boolean runOnce() throws InterruptedException {
    try {
      if (!identity.isEnrolled() && token.isPresent()) {
        enroll(token.get());
        return true;
      }
      switch (connecting.connect(slot, attempt)) {
        case Connecting.Outcome.ApprovedNow _ -> {}
        case Connecting.Outcome.Serving it -> serve(it);
      }
      return true;
    } catch (LinkFailure failure) {
      return retry(failure);
    } catch (RuntimeException bug) {
      LOG.error("tunnel {}: internal error", slot, bug);
      return retry(LinkFailure.at(Stage.SESSION, "internal error"));
    }
  }

  private void enroll(EnrollmentToken with) throws LinkFailure, InterruptedException {
    var waiting = new Enrolling(surroundings, identity, with).enroll(attempt);
    connecting.awaitDecision(waiting.conversation(), waiting.pending());
  }

  private boolean retry(LinkFailure failure) throws InterruptedException {
    attempt++;
    if (failure.isForGood()) {
      status.failed(failure, Duration.ZERO);
      watcher.over(failure);
      return false;
    }
    Duration wait = backoff.next(failure, System.nanoTime());
    status.failed(failure, wait);
    surroundings.listener().failed(slot, failure, wait);
    Thread.sleep(wait);
    return true;
  }

  /// Until the session ends or its broker drains.
  private void serve(Connecting.Outcome.Serving serving) throws LinkFailure, InterruptedException {
    long sinceNanos = System.nanoTime();
    Conversation conversation = serving.conversation();
    live.set(conversation.session());
    status.up(serving.broker());
    surroundings.listener().admitted(slot, serving.broker(), serving.admitted().sessionEpoch());
    watcher.admitted(slot, serving.admitted().tunnels());
    surroundings.configuration().admitted(serving.line(), serving.head());
    try {
      SessionEvent.Drain drain = awaitDrain(conversation);
      makeBeforeBreak(conversation, drain);
    } finally {
      long nowNanos = System.nanoTime();
      backoff.sessionEnded(Duration.ofNanos(nowNanos - sinceNanos), nowNanos);
    }
  }

  private SessionEvent.Drain awaitDrain(Conversation conversation)
      throws LinkFailure, InterruptedException {
    while (true) {
      switch (conversation.await(WAKE_UP).orElse(null)) {
        case null -> {}
        case SessionEvent.Drain it -> {
          return it;
        }
        case SessionEvent.Ended it -> throw it.failure(Stage.SESSION);
        case SessionEvent.Wipe _ -> throw conversation.endAsAsked();
        // Of a newer broker, or late: nothing that this version acts on.
        case SessionEvent.Control _ -> {}
      }
    }
  }

  /// Waits for a random time within the spread, or until the old session ends; then leaves it to
  /// itself and returns, so that the loop dials anew.
  private void makeBeforeBreak(Conversation old, SessionEvent.Drain drain)
      throws LinkFailure, InterruptedException {
    attempt++;
    Duration wait =
        Duration.ofMillis(ThreadLocalRandom.current().nextLong(Math.max(0, drain.spreadMs()) + 1L));
    surroundings.listener().draining(slot, wait);
    awaitEnd(old, wait);
    Thread.ofVirtual().name("drain-" + slot).start(() -> finish(old, drain.drainMs()));
  }

  /// Of a session that ended everything is heard that came before its end.
  private static void awaitEnd(Conversation old, Duration within)
      throws LinkFailure, InterruptedException {
    long untilNanos = System.nanoTime() + within.toNanos();
    while (old.session().isOpen() && untilNanos - System.nanoTime() > 0) {
      old.await(Duration.ofNanos(untilNanos - System.nanoTime()));
    }
    while (!old.session().isOpen() && old.await(Duration.ZERO).isPresent()) {
      // The next one.
    }
  }

  /// A retiring tunnel may still bring the word that ends this agent.
  private void finish(Conversation old, int drainMs) {
    old.session().retire();
    try {
      awaitEnd(old, Duration.ofMillis(Math.clamp(drainMs, 0, LONGEST_DRAIN.toMillis())));
    } catch (LinkFailure failure) {
      LOG.info("tunnel {}: the retiring session ended: {}", slot, failure.text());
      if (failure.isForGood()) {
        watcher.over(failure);
      }
    } catch (InterruptedException _) {
      // Nobody interrupts it but the end of the process.
    }
    old.session().close(ErrorCode.SHUTDOWN, "drained");
  }
}
