package io.penstock.loadtest.scenario;

import io.penstock.loadtest.fleet.SimulatedAgent;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Agents that dial until they are admitted, and back off in between as real ones do.
final class Dials {
  private static final long DIAL_TIMEOUT_MS = 15_000;
  private static final long FIRST_BACKOFF_MS = 200;
  private static final long LONGEST_BACKOFF_MS = 1_000;

  private final StormTurn turn;
  private final ScheduledExecutorService timer;

  Dials(StormTurn turn, ScheduledExecutorService timer) {
    this.turn = turn;
    this.timer = timer;
  }

  /// The first dial, now.
  void dial(SimulatedAgent agent, long intended) {
    dial(agent, intended, 0);
  }

  /// As after a session that was lost.
  void dialAgain(SimulatedAgent agent, long intended) {
    later(() -> dial(agent, intended, 1), 0);
  }

  private void dial(SimulatedAgent agent, long intended, int tries) {
    long sent = turn.now();
    var _ =
        agent
            .connect()
            .orTimeout(DIAL_TIMEOUT_MS, TimeUnit.MILLISECONDS)
            .whenComplete(
                (_, failure) -> {
                  if (failure == null) {
                    turn.answered(intended, sent, turn.now());
                    turn.over();
                  } else {
                    turn.failed(kind(failure), intended);
                    later(() -> dial(agent, intended, tries + 1), tries);
                  }
                });
  }

  /// A random time up to a ceiling that doubles from 0.2 s to 1 s.
  private void later(Runnable dial, int tries) {
    long ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS << Math.min(tries, 4));
    long wait = ThreadLocalRandom.current().nextLong(ceiling + 1);
    if (!timer.isShutdown()) {
      var _ = timer.schedule(dial, wait, TimeUnit.MILLISECONDS);
    }
  }

  /// A dial that failed is an error; the agent goes on trying.
  private static String kind(Throwable failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    return failure instanceof TimeoutException || cause instanceof TimeoutException
        ? "dial timed out"
        : "dial failed: " + cause.getMessage();
  }
}
